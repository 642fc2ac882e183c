#include "coordinator/web/run_json.h"

#include <google/protobuf/descriptor.h>

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace ddl::coordinator {
namespace {

using Json = nlohmann::ordered_json;
using google::protobuf::FieldDescriptor;

Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json TimeText(const google::protobuf::Timestamp& time) {
  const absl::Time at = absl::FromUnixNanos(time.seconds() * 1'000'000'000 + time.nanos());
  return absl::FormatTime(absl::RFC3339_full, at, absl::UTCTimeZone());
}

// A field of Run: scalars, times and lists of strings are all it has.
Json Value(const v1::Run& run, const FieldDescriptor& field) {
  const google::protobuf::Reflection& reflection = *run.GetReflection();
  if (field.is_repeated()) {
    Json list = Json::array();
    for (int i = 0; i < reflection.FieldSize(run, &field); ++i) {
      list.push_back(reflection.GetRepeatedString(run, &field, i));
    }
    return list;
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: return reflection.GetString(run, &field);
    case FieldDescriptor::CPPTYPE_INT32: return reflection.GetInt32(run, &field);
    case FieldDescriptor::CPPTYPE_INT64: return reflection.GetInt64(run, &field);
    case FieldDescriptor::CPPTYPE_UINT32: return reflection.GetUInt32(run, &field);
    case FieldDescriptor::CPPTYPE_UINT64: return reflection.GetUInt64(run, &field);
    case FieldDescriptor::CPPTYPE_BOOL: return reflection.GetBool(run, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE: return Number(reflection.GetDouble(run, &field));
    default: break;
  }
  if (!reflection.HasField(run, &field)) return nullptr;
  return TimeText(
      static_cast<const google::protobuf::Timestamp&>(reflection.GetMessage(run, &field)));
}

// Shortest text that reads back as the same double.
void AppendDouble(double value, std::string* text) {
  std::array<char, 32> digits = {};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  text->append(digits.data(), end.ptr);
}

}  // namespace

std::string RunsJson(const v1::ListRunsResponse& list) {
  Json runs = Json::array();
  for (const v1::Run& run : list.runs()) {
    Json row = Json::object();
    const google::protobuf::Descriptor& descriptor = *run.GetDescriptor();
    for (int i = 0; i < descriptor.field_count(); ++i) {
      row[descriptor.field(i)->name()] = Value(run, *descriptor.field(i));
    }
    runs.push_back(std::move(row));
  }
  const Json answer = {{"runs", std::move(runs)}, {"next_page_token", list.next_page_token()}};
  return answer.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string SeriesCsvRows(const v1::SeriesChunk& chunk) {
  std::string rows;
  for (const v1::Point& point : chunk.points()) {
    absl::StrAppend(&rows, chunk.run(), ",", point.attempt(), ",", point.step(), ",",
                    point.tokens(), ",");
    AppendDouble(point.flops(), &rows);
    rows.push_back(',');
    AppendDouble(point.active_seconds(), &rows);
    rows.push_back(',');
    AppendDouble(point.value(), &rows);
    rows.push_back('\n');
  }
  return rows;
}

}  // namespace ddl::coordinator
