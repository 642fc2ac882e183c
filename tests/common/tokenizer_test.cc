#include "common/tokenizer.h"

#include <catch2/catch.hpp>

namespace ddl {
namespace {

TEST_CASE("A document is its bytes and an end") {
  std::vector<uint16_t> tokens;
  AppendDocument("H\xc3\xa9", &tokens);
  AppendDocument("", &tokens);
  CHECK(tokens == std::vector<uint16_t>{72, 0xC3, 0xA9, 256, 256});
}

TEST_CASE("Every byte survives tokens and back") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  std::vector<uint16_t> tokens;
  AppendDocument(all, &tokens);
  for (const uint16_t token : tokens) CHECK(token < kByteVocabSize);
  CHECK(TextOfTokens(tokens) == all + "<|end|>");
}

TEST_CASE("The tokenizer's digest is that of its definition") {
  // printf '{"kind":"byte","vocab_size":257,"end_of_document":256}' | sha256sum
  CHECK(ByteTokenizerSha256() ==
        "49555bb4a1621a1e42bb34b964b3bcbf5a9078985320fc064f32910b8d2d7691");
}

}  // namespace
}  // namespace ddl
