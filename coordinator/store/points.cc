#include "coordinator/store/points.h"

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/series.h"
#include "common/status.h"
#include "coordinator/store/progress_row.h"

namespace ddl::coordinator {
namespace {

constexpr size_t kMaxRememberedRuns = 256;

// run, series, step, epoch, attempt, tokens, flops, active_seconds, value.
using Row = std::array<int64_t, 9>;

int64_t ChecksumOf(const Row& row) {
  static_assert(std::endian::native == std::endian::little);
  return Crc32c({reinterpret_cast<const char*>(row.data()), sizeof(row)});
}

std::string KeyOf(const v1::Sample& sample) {
  return series::Key(sample.name(),
                     {sample.layer(), sample.sublayer(), sample.bucket(), sample.phase()});
}

}  // namespace

void PointCounts::Add(const PointCounts& more) {
  ingested += more.ingested;
  repeated += more.repeated;
  conflicting += more.conflicting;
  over_cap += more.over_cap;
}

absl::StatusOr<PointTable> PointTable::Open(Database* database) {
  PointTable table(database);
  DDL_ASSIGN_OR_RETURN(table.insert_point_,
                       database->Prepare("INSERT INTO point VALUES(?,?,?,?,?,?,?,?,?,?) "
                                         "ON CONFLICT DO NOTHING"));
  DDL_ASSIGN_OR_RETURN(
      table.find_point_,
      database->Prepare("SELECT attempt, tokens, flops, active_seconds, value FROM point "
                        "WHERE run = ? AND series = ? AND step = ? AND epoch = ?"));
  DDL_ASSIGN_OR_RETURN(table.find_progress_, database->Prepare(ProgressRow::kFind));
  DDL_ASSIGN_OR_RETURN(table.set_progress_, database->Prepare(ProgressRow::kSet));
  return table;
}

void PointTable::Forget() {
  runs_.clear();
  series_.clear();
}

absl::StatusOr<PointTable::Run*> PointTable::FindRun(const std::string& run) {
  const auto known = runs_.find(run);
  if (known != runs_.end()) return &known->second;
  if (runs_.size() >= kMaxRememberedRuns) runs_.clear();
  DDL_ASSIGN_OR_RETURN(
      Statement insert,
      database_->Prepare("INSERT INTO run(name) VALUES(?) ON CONFLICT DO NOTHING"));
  DDL_RETURN_IF_ERROR(insert.BindText(1, run).Run());
  DDL_ASSIGN_OR_RETURN(Statement find, database_->Prepare("SELECT id FROM run WHERE name = ?"));
  DDL_RETURN_IF_ERROR(find.BindText(1, run).Step().status());
  Run found;
  found.id = find.Int(0);
  DDL_ASSIGN_OR_RETURN(
      Statement next,
      database_->Prepare("SELECT min(series) FROM point WHERE run = ? AND series > ?"));
  for (int64_t last = 0;;) {
    DDL_RETURN_IF_ERROR(next.Bind(1, found.id).Bind(2, last).Step().status());
    last = next.Int(0);  // NULL reads as 0: no more.
    next.Reset();
    if (last == 0) break;
    found.series.insert(last);
  }
  return &(runs_[run] = std::move(found));
}

absl::StatusOr<int64_t> PointTable::FindSeries(const std::string& name) {
  const auto known = series_.find(name);
  if (known != series_.end()) return known->second;
  if (series_.size() >= kMaxSeriesOfRun * 4) series_.clear();
  DDL_ASSIGN_OR_RETURN(
      Statement insert,
      database_->Prepare("INSERT INTO series(name) VALUES(?) ON CONFLICT DO NOTHING"));
  DDL_RETURN_IF_ERROR(insert.BindText(1, name).Run());
  DDL_ASSIGN_OR_RETURN(Statement find, database_->Prepare("SELECT id FROM series WHERE name = ?"));
  DDL_RETURN_IF_ERROR(find.BindText(1, name).Step().status());
  return series_[name] = find.Int(0);
}

absl::Status PointTable::AddPoint(Run* run, const MetricRecords& metrics,
                                  const v1::StepRecord& record, const v1::Sample& sample,
                                  PointCounts* counts) {
  DDL_ASSIGN_OR_RETURN(const int64_t series, FindSeries(KeyOf(sample)));
  if (run->series.count(series) == 0) {
    if (run->series.size() == kMaxSeriesOfRun) {
      ++counts->over_cap;
      return absl::OkStatus();
    }
    run->series.insert(series);
  }
  const Row row = {run->id,
                   series,
                   record.step(),
                   static_cast<int64_t>(metrics.epoch),
                   metrics.attempt,
                   record.tokens(),
                   std::bit_cast<int64_t>(record.flops()),
                   std::bit_cast<int64_t>(record.active_seconds()),
                   std::bit_cast<int64_t>(sample.value())};
  for (size_t i = 0; i < row.size(); ++i) insert_point_.Bind(static_cast<int>(i) + 1, row[i]);
  insert_point_.Bind(static_cast<int>(row.size()) + 1, ChecksumOf(row));
  DDL_RETURN_IF_ERROR(insert_point_.Run());
  if (database_->Changes() == 1) {
    ++counts->ingested;
    return absl::OkStatus();
  }
  for (int i = 0; i < 4; ++i) find_point_.Bind(i + 1, row[static_cast<size_t>(i)]);
  DDL_RETURN_IF_ERROR(find_point_.Step().status());
  bool same = true;
  for (int i = 0; i < 5; ++i) same = same && find_point_.Int(i) == row[static_cast<size_t>(i) + 4];
  find_point_.Reset();
  ++(same ? counts->repeated : counts->conflicting);
  return absl::OkStatus();
}

absl::Status PointTable::AdvanceProgress(const MetricRecords& metrics) {
  ProgressRow row;
  DDL_ASSIGN_OR_RETURN(const bool known, find_progress_.BindText(1, metrics.run).Step());
  if (known) row = ProgressRow::Read(find_progress_);
  find_progress_.Reset();
  for (const v1::StepRecord& record : metrics.records) row.Advance(metrics.epoch, record);
  return row.Bind(set_progress_.BindText(1, metrics.run)).Run();
}

absl::Status PointTable::Add(const MetricRecords& metrics, PointCounts* counts) {
  if (metrics.records.empty()) return absl::OkStatus();
  DDL_ASSIGN_OR_RETURN(Run* const run, FindRun(metrics.run));
  for (const v1::StepRecord& record : metrics.records) {
    for (const v1::Sample& sample : record.samples()) {
      DDL_RETURN_IF_ERROR(AddPoint(run, metrics, record, sample, counts));
    }
  }
  return AdvanceProgress(metrics);
}

absl::StatusOr<std::vector<std::string>> SeriesNamesOf(Database* database, const std::string& run) {
  DDL_ASSIGN_OR_RETURN(Statement next,
                       database->Prepare("SELECT min(series) FROM point WHERE series > ?2 AND "
                                         "run = (SELECT id FROM run WHERE name = ?1)"));
  DDL_ASSIGN_OR_RETURN(Statement name, database->Prepare("SELECT name FROM series WHERE id = ?"));
  std::set<std::string> names;
  for (int64_t last = 0;;) {
    DDL_RETURN_IF_ERROR(next.BindText(1, run).Bind(2, last).Step().status());
    last = next.Int(0);
    next.Reset();
    if (last == 0) break;
    DDL_RETURN_IF_ERROR(name.Bind(1, last).Step().status());
    names.emplace(name.Text(0));
    name.Reset();
  }
  return std::vector<std::string>(names.begin(), names.end());
}

void AppendOfLineage(const PointRow& row, const Lineage& lineage, v1::SeriesChunk* chunk) {
  const auto superseded = lineage.superseded_after.find(row.epoch);
  if (superseded != lineage.superseded_after.end() && row.point.step() > superseded->second) return;
  const int last = chunk->points_size() - 1;
  const bool again = last >= 0 && chunk->points(last).step() == row.point.step();
  if (again && !lineage.superseded_after.empty()) chunk->mutable_points()->RemoveLast();
  *chunk->add_points() = row.point;
}

absl::StatusOr<std::vector<PointRow>> ReadPage(Database* database, const std::string& run,
                                               const std::string& series, PagePosition* position) {
  DDL_ASSIGN_OR_RETURN(
      Statement select,
      database->Prepare("SELECT run, series, step, epoch, attempt, tokens, flops, active_seconds, "
                        "value, crc FROM point WHERE run = (SELECT id FROM run WHERE name = ?1) "
                        "AND series = (SELECT id FROM series WHERE name = ?2) "
                        "AND (step, epoch) > (?3, ?4) ORDER BY step, epoch LIMIT ?5"));
  select.BindText(1, run).BindText(2, series).Bind(3, position->step).Bind(4, position->epoch);
  select.Bind(5, kPageRows);
  std::vector<PointRow> rows;
  for (;;) {
    DDL_ASSIGN_OR_RETURN(const bool more, select.Step());
    if (!more) return rows;
    Row row;
    for (size_t i = 0; i < row.size(); ++i) row[i] = select.Int(static_cast<int>(i));
    if (select.Int(static_cast<int>(row.size())) != ChecksumOf(row)) {
      return absl::DataLossError(absl::StrCat("point of run ", run, ", series ", series, ", step ",
                                              row[2], " has a wrong checksum"));
    }
    *position = {row[2], row[3]};
    PointRow& out = rows.emplace_back();
    out.epoch = static_cast<uint64_t>(row[3]);
    out.point.set_attempt(static_cast<uint32_t>(row[4]));
    out.point.set_step(row[2]);
    out.point.set_tokens(row[5]);
    out.point.set_flops(std::bit_cast<double>(row[6]));
    out.point.set_active_seconds(std::bit_cast<double>(row[7]));
    out.point.set_value(std::bit_cast<double>(row[8]));
  }
}

absl::StatusOr<std::map<std::string, RunProgress>> ProgressOf(
    Database* database, const std::vector<std::string>& runs) {
  DDL_ASSIGN_OR_RETURN(Statement find, database->Prepare(ProgressRow::kFind));
  std::map<std::string, RunProgress> all;
  for (const std::string& run : runs) {
    DDL_ASSIGN_OR_RETURN(const bool known, find.BindText(1, run).Step());
    if (known) all[run] = ProgressRow::Read(find).progress;
    find.Reset();
  }
  return all;
}

}  // namespace ddl::coordinator
