#include "common/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/check.h"
#include "common/names.h"
#include "common/status.h"
#include "common/strict_json.h"

namespace ddl {
namespace {

using nlohmann::json;
static_assert(std::endian::native == std::endian::little, "tensors are mapped as they are");

constexpr size_t kLengthBytes = 8;
constexpr size_t kAlignment = 8;  // Of the first tensor, as the format's own library does it.
constexpr absl::string_view kMetadata = "__metadata__";

struct TypeRow {
  TensorType type;
  absl::string_view name;
  int64_t bytes;
};
constexpr std::array<TypeRow, 8> kTypes = {{
    {TensorType::kF32, "F32", 4},
    {TensorType::kF64, "F64", 8},
    {TensorType::kBf16, "BF16", 2},
    {TensorType::kF16, "F16", 2},
    {TensorType::kI64, "I64", 8},
    {TensorType::kI32, "I32", 4},
    {TensorType::kU16, "U16", 2},
    {TensorType::kU8, "U8", 1},
}};

const TypeRow& RowOf(TensorType type) {
  const auto* row =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& r) { return r.type == type; });
  DDL_CHECK(row != kTypes.end());
  return *row;
}

// Bytes of a tensor; nullopt for a negative extent or more than an int64 can count.
std::optional<int64_t> SizeOf(TensorType type, const std::vector<int64_t>& shape) {
  int64_t size = TensorTypeBytes(type);
  for (const int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(size, extent, &size)) return std::nullopt;
  }
  return size;
}

absl::Status Bad(absl::string_view tensor, absl::string_view rule) {
  return absl::DataLossError(absl::StrCat("tensor ", Quoted(tensor), ": ", rule));
}

// A list of whole numbers from 0 to 2^63-1; nullopt for anything else.
std::optional<std::vector<int64_t>> Numbers(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return std::nullopt;
  std::vector<int64_t> numbers;
  for (const json& element : *found) {
    if (!element.is_number_unsigned() || element.get<uint64_t>() > INT64_MAX) return std::nullopt;
    numbers.push_back(element.get<int64_t>());
  }
  return numbers;
}

struct Entry {
  TensorView view;
  int64_t begin = 0;
  int64_t end = 0;
};

absl::StatusOr<Entry> ParseEntry(const std::string& name, const json& fields) {
  if (!fields.is_object() || fields.size() != 3) {
    return Bad(name, "must have exactly dtype, shape and data_offsets");
  }
  const auto dtype = fields.find("dtype");
  if (dtype == fields.end() || !dtype->is_string()) return Bad(name, "dtype must be a string");
  const auto& type_name = dtype->get_ref<const std::string&>();
  const auto* row = std::find_if(kTypes.begin(), kTypes.end(),
                                 [&](const auto& r) { return r.name == type_name; });
  if (row == kTypes.end()) {
    return Bad(name, absl::StrCat("dtype ", Quoted(type_name), " is not one of ",
                                  absl::StrJoin(kTypes, ", ", [](std::string* out, const auto& r) {
                                    absl::StrAppend(out, r.name);
                                  })));
  }
  const auto shape = Numbers(fields, "shape");
  if (!shape) return Bad(name, "shape must be a list of whole numbers");
  const auto offsets = Numbers(fields, "data_offsets");
  if (!offsets || offsets->size() != 2 || (*offsets)[0] > (*offsets)[1]) {
    return Bad(name, "data_offsets must be a begin and an end that is not before it");
  }
  const auto size = SizeOf(row->type, *shape);
  const int64_t spanned = (*offsets)[1] - (*offsets)[0];
  if (!size) return Bad(name, "shape has too many elements");
  if (*size != spanned) {
    return Bad(name,
               absl::StrCat("dtype and shape need ", *size, " bytes, data_offsets span ", spanned));
  }
  return Entry{{name, row->type, *shape, {}}, (*offsets)[0], (*offsets)[1]};
}

absl::Status ParseMetadata(const json& fields, std::map<std::string, std::string>* metadata) {
  if (!fields.is_object()) return absl::DataLossError("__metadata__ must map strings to strings");
  for (const auto& [key, value] : fields.items()) {
    if (!value.is_string()) return absl::DataLossError("__metadata__ must map strings to strings");
    metadata->emplace(key, value.get<std::string>());
  }
  return absl::OkStatus();
}

// Points the views into `data`; the entries must tile it.
absl::Status Place(std::vector<Entry>* entries, absl::string_view data) {
  std::sort(entries->begin(), entries->end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.view.name) < std::tie(b.begin, b.end, b.view.name);
  });
  int64_t at = 0;
  for (Entry& entry : *entries) {
    if (entry.begin != at) {
      return Bad(entry.view.name,
                 absl::StrCat("begins at ", entry.begin, ", but the one before ends at ", at,
                              entry.begin < at ? " (overlap)" : " (hole)"));
    }
    if (entry.end > static_cast<int64_t>(data.size())) {
      return Bad(entry.view.name, absl::StrCat("ends at ", entry.end, ", but the file has ",
                                               data.size(), " bytes of data (truncated)"));
    }
    entry.view.bytes =
        data.substr(static_cast<size_t>(entry.begin), static_cast<size_t>(entry.end - entry.begin));
    at = entry.end;
  }
  if (at != static_cast<int64_t>(data.size())) {
    return absl::DataLossError(
        absl::StrCat(static_cast<int64_t>(data.size()) - at, " bytes after the last tensor"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Header(const std::vector<TensorView>& tensors,
                                   const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[std::string(kMetadata)] = metadata;
  std::set<absl::string_view> names;
  int64_t at = 0;
  for (const TensorView& tensor : tensors) {
    const auto size = SizeOf(tensor.type, tensor.shape);
    if (!size || *size != static_cast<int64_t>(tensor.bytes.size())) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor ", Quoted(tensor.name), " has ", tensor.bytes.size(),
                       " bytes, which is not its dtype times its shape"));
    }
    if (tensor.name == kMetadata || !names.insert(tensor.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor name ", Quoted(tensor.name), " is repeated or reserved"));
    }
    header[tensor.name] = {{"dtype", std::string(TensorTypeName(tensor.type))},
                           {"shape", tensor.shape},
                           {"data_offsets", {at, at + *size}}};
    at += *size;
  }
  std::string text = header.dump(-1, ' ', false, json::error_handler_t::replace);
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  if (text.size() > kMaxSafetensorsHeaderBytes) {
    return absl::InvalidArgumentError(absl::StrCat("the header needs ", text.size(),
                                                   " bytes, at most ", kMaxSafetensorsHeaderBytes));
  }
  return text;
}

}  // namespace

absl::string_view TensorTypeName(TensorType type) { return RowOf(type).name; }
int64_t TensorTypeBytes(TensorType type) { return RowOf(type).bytes; }

absl::StatusOr<ParsedSafetensors> ParseSafetensors(absl::string_view bytes) {
  if (bytes.size() < kLengthBytes) {
    return absl::DataLossError(absl::StrCat("truncated: ", bytes.size(), " bytes"));
  }
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > kMaxSafetensorsHeaderBytes) {
    return absl::DataLossError(absl::StrCat("the header must have at most ",
                                            kMaxSafetensorsHeaderBytes, " bytes, got ", length));
  }
  if (bytes.size() - kLengthBytes < length) {
    return absl::DataLossError(
        absl::StrCat("truncated: a header of ", length, " bytes in a file of ", bytes.size()));
  }
  constexpr int kDepth = 3;
  DDL_ASSIGN_OR_RETURN(const json header,
                       ParseStrictJson(bytes.substr(kLengthBytes, length), kDepth));
  if (!header.is_object()) return absl::DataLossError("the header must be a JSON object");
  ParsedSafetensors parsed;
  std::vector<Entry> entries;
  for (const auto& [name, fields] : header.items()) {
    if (name == kMetadata) {
      DDL_RETURN_IF_ERROR(ParseMetadata(fields, &parsed.metadata));
      continue;
    }
    DDL_ASSIGN_OR_RETURN(Entry entry, ParseEntry(name, fields));
    entries.push_back(std::move(entry));
  }
  DDL_RETURN_IF_ERROR(Place(&entries, bytes.substr(kLengthBytes + length)));
  for (Entry& entry : entries) parsed.tensors.push_back(std::move(entry.view));
  return parsed;
}

absl::StatusOr<SafetensorsFile> SafetensorsFile::Open(const std::string& path) {
  DDL_ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(path));
  SafetensorsFile file(std::move(mapped));
  absl::StatusOr<ParsedSafetensors> parsed = ParseSafetensors(file.bytes());
  if (!parsed.ok()) return Annotate(parsed.status(), path);
  file.tensors_ = std::move(parsed->tensors);
  file.metadata_ = std::move(parsed->metadata);
  return file;
}

const TensorView* SafetensorsFile::Find(absl::string_view name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(),
                                  [&](const TensorView& tensor) { return tensor.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

absl::StatusOr<WrittenFile> WriteSafetensors(const std::string& path,
                                             const std::vector<TensorView>& tensors,
                                             const std::map<std::string, std::string>& metadata) {
  DDL_ASSIGN_OR_RETURN(const std::string header, Header(tensors, metadata));
  DDL_ASSIGN_OR_RETURN(FileWriter writer, FileWriter::Create(path));
  const uint64_t length = header.size();
  DDL_RETURN_IF_ERROR(writer.Append({reinterpret_cast<const char*>(&length), kLengthBytes}));
  DDL_RETURN_IF_ERROR(writer.Append(header));
  for (const TensorView& tensor : tensors) DDL_RETURN_IF_ERROR(writer.Append(tensor.bytes));
  return writer.Finish();
}

}  // namespace ddl
