#include "worker/train/generate/generate.h"

#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "tests/common/scratch_folder.h"
#include "tests/worker/torch_test.h"
#include "worker/train/generate/generate_verb.h"
#include "worker/train/generate/init_verb.h"

namespace ddl {
namespace {

struct Said {
  int code = 0;
  std::string out, error;
};

Said Generated(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream error;
  const int code = GenerateVerb(arguments, out, error);
  return {code, out.str(), error.str()};
}

// A file of initial weights of a small model.
std::string Weights(const ScratchFolder& folder, const std::string& residual,
                    const std::string& more = "") {
  const std::string model = folder / "model.yaml";
  Spit(model, "d_model: 32\nn_layers: 2\nn_heads: 2\nmax_seq_len: 64\n" + more);
  const std::string path = folder / "weights.safetensors";
  std::ostringstream out;
  std::ostringstream error;
  const int code = InitVerb({"--model", model, "--residual", residual, "--out", path}, out, error);
  INFO(error.str());
  REQUIRE(code == 0);
  return path;
}

TEST_CASE("Text goes on from a prompt, the same with the cache and without, for every residual") {
  const ScratchFolder folder;
  for (const char* residual :
       {"additive", "ddl/1", "ddl/4", "ddl/4/token", "write_only/2", "seed_deepdeltares",
        "hyper_connections/2", "hyper_connections/2/static"}) {
    INFO(residual);
    const std::string path = Weights(folder, residual);
    const std::vector<std::string> same = {"--from",   path, "--prompt", "The delta",
                                           "--tokens", "20", "--seed",   "5"};
    const Said cached = Generated(same);
    CHECK(cached.code == 0);
    CHECK(cached.out.substr(0, 9) == "The delta");
    CHECK(cached.out.size() > 9);
    CHECK(Generated(same).out == cached.out);
    std::vector<std::string> uncached = same;
    uncached.push_back("--no-cache");
    CHECK(Generated(uncached).out == cached.out);
    std::vector<std::string> other = same;
    other.back() = "6";
    CHECK(Generated(other).out != cached.out);
  }
}

TEST_CASE("Gates are shown for every token, with beta at first as it is initialised") {
  const ScratchFolder folder;
  const std::string path = Weights(folder, "ddl/1");
  const Said said = Generated(
      {"--from", path, "--prompt", "ab", "--tokens", "3", "--temperature", "0", "--show-gates"});
  CHECK(said.code == 0);
  const std::vector<std::string> lines = absl::StrSplit(said.out, '\n', absl::SkipEmpty());
  REQUIRE(lines.size() == 6);  // A header, and prompt and new tokens.
  CHECK(lines[0] == "position  token     0.attn     0.mlp     1.attn     1.mlp");
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> cells = absl::StrSplit(lines[i], ' ', absl::SkipEmpty());
    REQUIRE(cells.size() == 6);
    CHECK(cells[0] == std::to_string(i - 1));
    // beta_init 1, and logits of N(0, 0.25) around it.
    for (size_t cell = 2; cell < cells.size(); ++cell) {
      CHECK(std::stod(cells[cell]) > 0.1);
      CHECK(std::stod(cells[cell]) < 1.9);
    }
  }
  CHECK(lines[1].substr(8, 7) == "     97");
}

TEST_CASE("A model of another vocabulary takes and gives numbers") {
  const ScratchFolder folder;
  const std::string path = Weights(folder, "ddl/2", "vocab_size: 400\n");
  const Said said = Generated({"--from", path, "--prompt-tokens", "399,0", "--tokens", "2"});
  CHECK(said.code == 0);
  CHECK(said.out.substr(0, 6) == "399 0 ");
  CHECK(Generated({"--from", path, "--prompt-tokens", "400"}).error ==
        "ddl-rank: --prompt-tokens must be from 0 to 399, got 400\n");
  CHECK(Generated({"--from", path, "--prompt", "a"}).error ==
        "ddl-rank: --prompt needs the byte vocabulary of 257 tokens, and the model has 400: give "
        "--prompt-tokens\n");
}

TEST_CASE("What cannot be generated is one error with exit code 2") {
  const ScratchFolder folder;
  const std::string path = Weights(folder, "additive");
  const auto refusal = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--from", path, "--prompt", "a"});
    const Said said = Generated(arguments);
    CHECK(said.code == 2);
    CHECK(said.out.empty());
    return said.error;
  };
  CHECK(refusal({"--show-gates", "--tokens", "2"}) ==
        "ddl-rank: --show-gates: residual additive has no gates\n");
  CHECK(refusal({"--tokens", "64"}) ==
        "ddl-rank: prompt and new tokens together must be at most the model's max_seq_len 64, got "
        "1 + 64\n");
  CHECK(refusal({"--tokens", "2", "--top-p", "0"}) ==
        "ddl-rank: --top-p must be from 1e-09 to 1, got 0\n");
  CHECK(refusal({"--temperature", "-1"}) ==
        "ddl-rank: --temperature must be from 0 to 1e+06, got -1\n");
  CHECK(Generated({"--prompt", "a"}).error == "ddl-rank: generate needs --from PATH\n");
  CHECK(Generated({"--from", path}).error ==
        "ddl-rank: give one of --prompt and --prompt-tokens, and not empty\n");
  CHECK(Generated({"--from", folder / "nowhere", "--prompt", "a"}).code == 2);
}

}  // namespace
}  // namespace ddl
