#include "common/names.h"

#include <catch2/catch.hpp>
#include <set>
#include <vector>

namespace ddl {
namespace {

TEST_CASE("Names are 1 to 63 of a-z 0-9 . _ - and begin with a letter or digit") {
  for (const std::string& name : {std::string("a"), std::string("0"), std::string("a.b_c-9"),
                                  std::string("a..b"), std::string(63, 'z')}) {
    INFO(name);
    CHECK(CheckName(name).ok());
  }
  for (const std::string& name :
       {std::string(), std::string(64, 'z'), std::string("A"), std::string("aB"), std::string("-a"),
        std::string(".a"), std::string("_a"), std::string("a b"), std::string("a/b"),
        std::string("a\n"), std::string("a\0b", 3), std::string("caf\xc3\xa9")}) {
    INFO(name);
    CHECK(CheckName(name).code() == absl::StatusCode::kInvalidArgument);
  }
  CHECK(CheckName("Bad\x1b").message() ==
        "\"Bad\\x1b\" is not a name: 1 to 63 of a-z 0-9 . _ - beginning with a letter or digit");
}

// Encodes without checking: what an attacker would send.
std::string Encode(uint32_t point, int bytes) {
  if (bytes == 1) return {static_cast<char>(point)};
  std::string text;
  constexpr unsigned kLead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  text.push_back(static_cast<char>(kLead[bytes] | point >> (6 * (bytes - 1))));
  for (int i = bytes - 2; i >= 0; --i) {
    text.push_back(static_cast<char>(0x80 | (point >> (6 * i) & 0x3F)));
  }
  return text;
}

int ShortestLength(uint32_t point) {
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

TEST_CASE("Every code point is accepted or refused by Unicode's rules, and no other form of it") {
  for (uint32_t point = 0; point <= 0x10FFFF; ++point) {
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    const bool control = point < 0x20 || (point >= 0x7F && point <= 0x9F);
    // Unicode 15, property Bidi_Control.
    const bool bidirectional = point == 0x061C || point == 0x200E || point == 0x200F ||
                               (point >= 0x202A && point <= 0x202E) ||
                               (point >= 0x2066 && point <= 0x2069);
    const bool good = !surrogate && !control && !bidirectional;
    const int length = ShortestLength(point);
    if (CheckText(Encode(point, length)).ok() != good) FAIL("code point " << point);
    for (int longer = length + 1; longer <= 4; ++longer) {
      if (point < 0x2000 && CheckText(Encode(point, longer)).ok()) {
        FAIL("overlong form of " << point << " in " << longer << " bytes");
      }
    }
  }
}

TEST_CASE("Bytes that are not UTF-8 are refused with their place") {
  for (const std::string bad : {"\x80", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc3(", "\xff", "\xfe",
                                "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xc0\x80"}) {
    INFO(Quoted(bad));
    const absl::Status status = CheckText("ok " + bad);
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(status.message()), Catch::EndsWith("is not valid UTF-8 at byte 3"));
  }
}

TEST_CASE("Texts have at most 256 bytes, counted as bytes") {
  CHECK(CheckText("").ok());
  CHECK(CheckText(std::string(256, 'x')).ok());
  CHECK(CheckText(std::string(257, 'x')).message() == "text must be at most 256 bytes, got 257");
  std::string euros;
  for (int i = 0; i < 86; ++i) euros += "\xe2\x82\xac";
  CHECK(CheckText(euros.substr(0, 255)).ok());
  CHECK_FALSE(CheckText(euros).ok());
}

TEST_CASE("Paths have no way up, no control character and no end") {
  for (const char* path : {"a", "/a/b", "a..b/..c", ".", "./a", "..."}) {
    INFO(path);
    CHECK(CheckPath(path).ok());
  }
  for (const std::string& path :
       {std::string(), std::string(".."), std::string("a/.."), std::string("../a"),
        std::string("a/../b"), std::string("a\nb"), std::string("a\0b", 3), std::string("a\x7f"),
        std::string(4097, 'a')}) {
    INFO(Quoted(path));
    CHECK(CheckPath(path).code() == absl::StatusCode::kInvalidArgument);
  }
}

TEST_CASE("Ids are eight characters of the alphabet, a digit for every five bits") {
  CHECK(IdFromBits(0) == "00000000");
  CHECK(IdFromBits(31) == "z0000000");
  CHECK(IdFromBits(uint64_t{31} << 35) == "0000000z");
  CHECK(IdFromBits(~uint64_t{0}) == "zzzzzzzz");
  CHECK(kIdAlphabet.size() == 32);
  CHECK(std::set<char>(kIdAlphabet.begin(), kIdAlphabet.end()).size() == 32);
  std::set<std::string> ids;
  for (uint64_t bits = 0; bits < 5000; ++bits) ids.insert(IdFromBits(bits * 0x9E3779B97F4A7C15));
  CHECK(ids.size() == 5000);
  CHECK(IsId("0123abcd"));
  for (const char* id : {"", "0123abc", "0123abcde", "0123abci", "0123ABCD", "0123abc "}) {
    INFO(id);
    CHECK_FALSE(IsId(id));
  }
  CHECK(IsIdPrefix("0"));
  CHECK(IsIdPrefix("0123abcd"));
  CHECK_FALSE(IsIdPrefix(""));
  CHECK_FALSE(IsIdPrefix("l"));
}

TEST_CASE("Random tokens are 32 hex digits and differ") {
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) tokens.insert(RandomToken());
  CHECK(tokens.size() == 100);
  CHECK(tokens.begin()->size() == 32);
  CHECK(tokens.begin()->find_first_not_of("0123456789abcdef") == std::string::npos);
}

TEST_CASE("Quoted values are escaped and cut") {
  CHECK(Quoted("a\"b\n\x1b") == "\"a\\\"b\\n\\x1b\"");
  CHECK(Quoted("caf\xc3\xa9") == "\"caf\xc3\xa9\"");
  CHECK(Quoted(std::string(64, 'x')) == "\"" + std::string(64, 'x') + "\"");
  CHECK(Quoted(std::string(65, 'x')) == "\"" + std::string(64, 'x') + "\"...");
  CHECK(Quoted(std::string(63, 'x') + "\xc3\xa9") == "\"" + std::string(63, 'x') + "\"...");
  CHECK(Quoted("a\xff\xe2\x82") == "\"a\\xff\\xe2\\x82\"");
  CHECK(Quoted("\xe2\x80\xae") == "\"\\xe2\\x80\\xae\"");  // U+202E, right-to-left override.
}

TEST_CASE("The edit distance is Levenshtein's") {
  // The textbook's examples.
  CHECK(EditDistance("kitten", "sitting") == 3);
  CHECK(EditDistance("saturday", "sunday") == 3);
  CHECK(EditDistance("", "abc") == 3);
  CHECK(EditDistance("abc", "") == 3);
  CHECK(EditDistance("abc", "abc") == 0);
}

TEST_CASE("A slip has a suggestion and another word has none") {
  const std::vector<std::string> words = {"additive", "ddl", "write_only"};
  CHECK(DidYouMean("aditive", words) == "additive");
  CHECK(DidYouMean("dll", words) == "ddl");
  CHECK(DidYouMean("writeonly", words) == "write_only");
  CHECK(DidYouMean("transformer", words).empty());
  CHECK(DidYouMean("xyz", words).empty());
}

}  // namespace
}  // namespace ddl
