// A real ddl-worker process on a temporary folder.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "tests/places.h"
#include "tests/worker/agent/eventually.h"
#include "tests/worker/agent/temporary_folder.h"

namespace ddl::agent {

class DaemonProcess {
 public:
  DaemonProcess(const std::string& root, const std::string& coordinator) : root_(root) {
    arguments_ = {BuildPath("bin/ddl-worker"),
                  "--name",
                  "w1",
                  "--slots",
                  "2",
                  "--coordinator",
                  coordinator,
                  "--state",
                  State(),
                  "--data-root",
                  root,
                  "--checkpoint-root",
                  root + "/ckpt",
                  "--rank-binary",
                  BuildPath("tests/scripted_rank")};
  }
  ~DaemonProcess() {
    if (pid_ > 0) Kill(SIGKILL);
  }

  void Start(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = arguments_;
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    unlink(absl::StrCat(State(), "/address").c_str());
    const std::string log_path = Log();
    pid_ = fork();
    if (pid_ == 0) {
      const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      dup2(log, 2);
      execv(pointers[0], pointers.data());
      _exit(99);
    }
  }
  // Sends `signal` and waits for the end; the exit code, or minus the signal.
  int Kill(int signal) {
    kill(pid_, signal);
    return Wait();
  }
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  pid_t pid() const { return pid_; }
  std::string State() const { return absl::StrCat(root_, "/state"); }
  std::string Log() const { return absl::StrCat(root_, "/daemon.log"); }

  // Body of http://<address><path>; empty when nobody answers.
  std::string Get(const std::string& path) const {
    const absl::StatusOr<std::string> text = ReadFile(absl::StrCat(State(), "/address"));
    int port = 0;
    if (!text.ok() || !absl::SimpleAtoi(text->substr(text->rfind(':') + 1), &port)) return "";
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string answer;
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
      const std::string request = absl::StrCat("GET ", path, " HTTP/1.0\r\n\r\n");
      if (write(fd, request.data(), request.size()) > 0) {
        char chunk[4096];
        for (ssize_t got = 0; (got = read(fd, chunk, sizeof(chunk))) > 0;) {
          answer.append(chunk, static_cast<size_t>(got));
        }
      }
    }
    close(fd);
    const size_t body = answer.find("\r\n\r\n");
    return body == std::string::npos ? "" : answer.substr(body + 4);
  }

 private:
  std::string root_;
  std::vector<std::string> arguments_;
  pid_t pid_ = -1;
};

}  // namespace ddl::agent
