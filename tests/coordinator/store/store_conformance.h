// What any Store must do, whatever it stores in. The expected values come from a model: plain
// containers that the test fills as it commits.
#pragma once

#include <functional>
#include <memory>

#include "coordinator/core/store.h"

namespace ddl::coordinator {

// Opens the same storage again; the store of the previous call has been destroyed.
using OpenStore = std::function<std::unique_ptr<Store>()>;

// Each works on empty storage and fails the Catch2 test case it is called from.
void CheckJournalAndSnapshot(const OpenStore& open);
void CheckRepliesAndCursors(const OpenStore& open);
void CheckPointsExactlyOnce(const OpenStore& open);
void CheckLineage(const OpenStore& open);
void CheckLongSeries(const OpenStore& open);
void CheckProgress(const OpenStore& open);
void CheckRandomPoints(const OpenStore& open, unsigned seed);

// A record with one sample for each pair of name and value.
v1::StepRecord Record(int64_t step, const std::vector<std::pair<std::string, double>>& samples);
MetricRecords MetricsOf(const std::string& run, uint64_t epoch,
                        std::vector<v1::StepRecord> records);
std::vector<v1::Point> PointsOf(Store* store, const std::string& run, const std::string& series,
                                const Lineage& lineage = {});

}  // namespace ddl::coordinator
