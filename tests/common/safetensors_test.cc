#include "common/safetensors.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "common/digest.h"
#include "tests/common/scratch_folder.h"
#include "tests/common/small_disk.h"
#include "tests/places.h"

namespace ddl {
namespace {

using Catch::Contains;

std::string FileOf(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  return bytes + header + data;
}

std::string ErrorOf(const std::string& bytes) {
  const auto parsed = ParseSafetensors(bytes);
  CHECK(parsed.status().code() == absl::StatusCode::kDataLoss);
  return std::string(parsed.status().message());
}

// Made by the Python library safetensors 0.6 from {"b": float32 [[1.5, -2], [3, 0.25]], "a": int64
// [1, -1], "s": uint8 7} with metadata {"k": "v"}.
std::string PythonFile() {
  const std::string header =
      R"({"__metadata__":{"k":"v"},"a":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},)"
      R"("b":{"dtype":"F32","shape":[2,2],"data_offsets":[16,32]},)"
      R"("s":{"dtype":"U8","shape":[],"data_offsets":[32,33]}}  )";
  const std::string data(
      "\x01\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"
      "\0\0\xc0?\0\0\0\xc0\0\0@@\0\0\x80>\x07",
      33);
  return FileOf(header, data);
}

TEST_CASE("A file made by the Python library reads as it was written") {
  const std::string bytes = PythonFile();
  const auto parsed = ParseSafetensors(bytes);
  INFO(parsed.status());
  REQUIRE(parsed.ok());
  REQUIRE(parsed->tensors.size() == 3);
  CHECK(parsed->metadata.at("k") == "v");
  const TensorView& b = parsed->tensors[1];
  CHECK(b.name == "b");
  CHECK(b.type == TensorType::kF32);
  CHECK(b.shape == std::vector<int64_t>{2, 2});
  std::array<float, 4> values{};
  REQUIRE(b.bytes.size() == sizeof values);
  std::memcpy(values.data(), b.bytes.data(), sizeof values);
  CHECK(values == std::array<float, 4>{1.5F, -2.0F, 3.0F, 0.25F});
  CHECK(parsed->tensors[2].shape.empty());
  CHECK(parsed->tensors[2].bytes == "\x07");
}

TEST_CASE("A file is written byte for byte as the Python library writes it") {
  const ScratchFolder folder;
  const std::string bytes = PythonFile();
  const auto parsed = ParseSafetensors(bytes);
  REQUIRE(parsed.ok());
  const auto written = WriteSafetensors(folder / "f", parsed->tensors, parsed->metadata);
  REQUIRE(written.ok());
  CHECK(Slurp(folder / "f") == bytes);
  CHECK(written->sha256 == Sha256Hex(bytes));
  CHECK(written->bytes == static_cast<int64_t>(bytes.size()));
  CHECK(folder.CountEntries() == 1);
}

TEST_CASE("Random tensors survive a round trip") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const ScratchFolder folder;
  for (int round = 0; round < 50; ++round) {
    std::vector<std::string> store;
    std::vector<TensorView> tensors;
    const size_t count = random() % 8;
    for (size_t i = 0; i < count; ++i) {
      TensorView tensor{
          .name = "layer." + std::to_string(random() % 1000) + "." + std::to_string(i),
          .type = static_cast<TensorType>(random() % 8)};
      int64_t elements = 1;
      for (size_t axis = random() % 4; axis > 0; --axis) {
        tensor.shape.push_back(static_cast<int64_t>(random() % 5));  // Empty tensors too.
        elements *= tensor.shape.back();
      }
      std::string bytes(static_cast<size_t>(elements * TensorTypeBytes(tensor.type)), '\0');
      for (char& c : bytes) c = static_cast<char>(random());
      store.push_back(std::move(bytes));
      tensors.push_back(tensor);
    }
    for (size_t i = 0; i < count; ++i) tensors[i].bytes = store[i];
    REQUIRE(WriteSafetensors(folder / "f", tensors).ok());
    const auto file = SafetensorsFile::Open(folder / "f");
    INFO(file.status());
    REQUIRE(file.ok());
    REQUIRE(file->tensors().size() == count);
    for (const TensorView& tensor : tensors) {
      const TensorView* const found = file->Find(tensor.name);
      REQUIRE(found != nullptr);
      CHECK(found->type == tensor.type);
      CHECK(found->shape == tensor.shape);
      CHECK(found->bytes == tensor.bytes);
    }
    CHECK(file->Find("none") == nullptr);
  }
}

TEST_CASE("Every truncation of a file is noticed, and a byte too many") {
  const std::string bytes = PythonFile();
  for (size_t size = 0; size < bytes.size(); ++size) {
    INFO(size);
    CHECK(ParseSafetensors(bytes.substr(0, size)).status().code() == absl::StatusCode::kDataLoss);
  }
  CHECK(ErrorOf(bytes + "x") == "1 bytes after the last tensor");
}

TEST_CASE("A header that claims gigabytes is refused before anything is read") {
  std::string bytes = PythonFile();
  const uint64_t huge = uint64_t{10} << 30;
  std::memcpy(bytes.data(), &huge, sizeof huge);
  CHECK_THAT(ErrorOf(bytes), Contains("at most 16777216 bytes, got 10737418240"));
  const uint64_t most = ~uint64_t{0};
  std::memcpy(bytes.data(), &most, sizeof most);
  CHECK_THAT(ErrorOf(bytes), Contains("at most 16777216 bytes"));
}

TEST_CASE("Hostile headers are refused with the tensor and the rule") {
  const auto error = [](const std::string& header, const std::string& data = std::string(8, 'd')) {
    return ErrorOf(FileOf(header, data));
  };
  const auto entry = [](const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
    return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets +
           "}";
  };
  const std::string good = entry("F32", "[1]", "[0,4]");
  CHECK_THAT(error(R"({"a":)" + good + R"(,"b":)" + entry("F32", "[1]", "[2,6]") + "}"),
             Contains("\"b\": begins at 2, but the one before ends at 4 (overlap)"));
  CHECK_THAT(error(R"({"a":)" + good + R"(,"b":)" + good + "}"), Contains("(overlap)"));
  CHECK_THAT(error(R"({"a":)" + entry("U8", "[2]", "[0,2]") + R"(,"b":)" +
                   entry("F32", "[1]", "[4,8]") + "}"),
             Contains("(hole)"));
  CHECK_THAT(error(R"({"a":)" + good + R"(,"a":)" + good + "}"), Contains("\"a\" appears twice"));
  CHECK_THAT(error(R"({"a":)" + entry("F99", "[1]", "[0,4]") + "}"),
             Contains("dtype \"F99\" is not one of F32, F64, BF16, F16, I64, I32, U16, U8"));
  CHECK_THAT(error(R"({"a":)" + entry("F32", "[2]", "[0,4]") + "}"),
             Contains("dtype and shape need 8 bytes, data_offsets span 4"));
  CHECK_THAT(error(R"({"a":)" + entry("F32", "[1]", "[4,0]") + "}"), Contains("data_offsets"));
  CHECK_THAT(error(R"({"a":)" + entry("F32", "[1]", "[-4,0]") + "}"), Contains("data_offsets"));
  CHECK_THAT(error(R"({"a":)" + entry("F32", "[1]", "[0]") + "}"), Contains("data_offsets"));
  CHECK_THAT(error(R"({"a":)" + entry("F32", "[1]", "[0,4.0]") + "}"), Contains("data_offsets"));
  CHECK_THAT(error(R"({"a":)" + entry("F32", "[1]", "[0,18446744073709551615]") + "}"),
             Contains("data_offsets"));
  CHECK_THAT(error(R"({"a":)" + entry("F32", "[-1]", "[0,4]") + "}"), Contains("shape"));
  CHECK_THAT(error(R"({"a":)" + entry("F32", "[4611686018427387904,4]", "[0,0]") + "}"),
             Contains("too many elements"));
  CHECK_THAT(error(R"({"a":)" + entry("F32", "[3]", "[0,12]") + "}"), Contains("(truncated)"));
  CHECK_THAT(error(R"({"a":{"dtype":"F32","shape":[1]}})"), Contains("exactly dtype"));
  CHECK_THAT(error(R"({"a":[1]})"), Contains("exactly dtype"));
  CHECK_THAT(error(R"({"__metadata__":{"k":1}})"), Contains("__metadata__"));
  CHECK_THAT(error("[]"), Contains("JSON object"));
  CHECK_THAT(error("{"), Contains("not JSON"));
  CHECK_THAT(error(R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})"),
             Contains("deeper than 3"));
  CHECK_THAT(error("{}"), Contains("8 bytes after the last tensor"));
  CHECK(ParseSafetensors(FileOf("{}", "")).ok());
}

TEST_CASE("A bit flipped anywhere in a file either changes the digest or is refused") {
  const std::string bytes = PythonFile();
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    // Under ASan and UBSan: no flip may make the parser read outside the file.
    const auto parsed = ParseSafetensors(flipped);
    CHECK(Sha256Hex(flipped) != Sha256Hex(bytes));
    if (!parsed.ok()) CHECK(parsed.status().code() == absl::StatusCode::kDataLoss);
  }
}

TEST_CASE("What cannot be written is an invalid argument and leaves no file") {
  const ScratchFolder folder;
  const auto code = [&](const std::vector<TensorView>& tensors) {
    return WriteSafetensors(folder / "f", tensors).status().code();
  };
  CHECK(code({{"a", TensorType::kF32, {1}, "123"}}) == absl::StatusCode::kInvalidArgument);
  CHECK(code({{"a", TensorType::kU8, {1}, "1"}, {"a", TensorType::kU8, {1}, "1"}}) ==
        absl::StatusCode::kInvalidArgument);
  CHECK(code({{"__metadata__", TensorType::kU8, {1}, "1"}}) == absl::StatusCode::kInvalidArgument);
  CHECK(folder.CountEntries() == 0);
}

TEST_CASE("A missing file is not found and a bad one is named") {
  const ScratchFolder folder;
  CHECK(SafetensorsFile::Open(folder / "none").status().code() == absl::StatusCode::kNotFound);
  Spit(folder / "bad", "short");
  CHECK_THAT(std::string(SafetensorsFile::Open(folder / "bad").status().message()),
             Contains(folder / "bad"));
}

TEST_CASE("On a full disk the old file stays and nothing is left of the new one") {
  const SmallDisk disk;
  if (!disk.mounted()) return;
  const std::string path = disk.folder() / "f";
  REQUIRE(WriteSafetensors(path, {{"a", TensorType::kU8, {3}, "old"}}).ok());
  const std::string before = Slurp(path);
  const std::string large(kSmallDiskBytes, 'x');
  const auto written =
      WriteSafetensors(path, {{"a", TensorType::kU8, {static_cast<int64_t>(large.size())}, large}});
  CHECK(written.status().code() == absl::StatusCode::kResourceExhausted);
  CHECK(Slurp(path) == before);
  CHECK(disk.folder().CountEntries() == 1);
}

TEST_CASE("The golden files of the reference implementation are accepted") {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SourcePath("tests/golden"))) {
    if (entry.path().extension() != ".safetensors") continue;
    const auto file = SafetensorsFile::Open(entry.path());
    INFO(file.status());
    CHECK(file.ok());
    CHECK(!file->tensors().empty());
    ++files;
  }
  CHECK(files > 0);
}

}  // namespace
}  // namespace ddl
