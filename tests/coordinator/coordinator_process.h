// The real ddl-coordinator as a child process, on free ports.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace ddl::coordinator {

class CoordinatorProcess {
 public:
  // Starts it with `arguments`; output goes to `log`, a file that is appended to.
  CoordinatorProcess(const std::vector<std::string>& arguments, const std::string& log);
  ~CoordinatorProcess();  // Kills it if it still runs.
  CoordinatorProcess(const CoordinatorProcess&) = delete;
  CoordinatorProcess& operator=(const CoordinatorProcess&) = delete;

  // Waits until `address_file` of this process is there and returns its value for "grpc" or "http".
  std::string Address(const std::string& address_file, const std::string& key);
  void Signal(int number) const;
  // Its exit code, or 128 + the signal that ended it. Fails the test after a minute.
  int Wait();
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

// Runs it to its end; the exit code, and what it wrote to both streams.
int RunCoordinator(const std::vector<std::string>& arguments, std::string* output);

}  // namespace ddl::coordinator
