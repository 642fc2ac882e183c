// Connections for reads, shared by many threads.
#include "coordinator/store/reader_pool.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/common/scratch_folder.h"

namespace ddl::coordinator {
namespace {

TEST_CASE("no more reads run at a time than there are connections, and all get their turn") {
  const ScratchFolder folder;
  const auto writer = Database::Open(folder / "test.db", Database::Role::kWriter);
  REQUIRE(writer.ok());
  REQUIRE((*writer)->Execute("PRAGMA journal_mode = WAL; CREATE TABLE t(a)").ok());
  ReaderPool pool(folder / "test.db", 2);
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  std::atomic<int> done = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 25; ++k) {
        const absl::Status read = pool.With([&](Database* database) {
          const int at_once = ++now;
          int seen = most;
          while (at_once > seen && !most.compare_exchange_weak(seen, at_once)) continue;
          const absl::Status status = database->Number("SELECT count(*) FROM t").status();
          --now;
          return status;
        });
        if (read.ok()) ++done;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(done == 200);
  CHECK(most <= 2);
}

TEST_CASE("a connection that cannot be opened is an error for its caller alone") {
  const ScratchFolder folder;
  ReaderPool pool(folder / "test.db", 1);
  const auto read = [](Database*) { return absl::OkStatus(); };
  CHECK_FALSE(pool.With(read).ok());
  CHECK_FALSE(pool.With(read).ok());
  REQUIRE(Database::Open(folder / "test.db", Database::Role::kWriter).ok());
  CHECK(pool.With(read).ok());
}

}  // namespace
}  // namespace ddl::coordinator
