#include "common/spec_yaml.h"

#include <google/protobuf/util/message_differencer.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/spec_rules.h"
#include "tests/places.h"

namespace ddl {
namespace {

using google::protobuf::util::MessageDifferencer;

const std::string kTiny = SourcePath("configs/experiments/tiny.yaml");
const std::string kQuickstart = SourcePath("configs/sweeps/quickstart.yaml");

// A file that goes with the test. Its messages begin with "F" in place of the path.
class TemporaryYaml {
 public:
  explicit TemporaryYaml(const std::string& text) {  // Not durable: a thousand are written.
    std::ofstream file(path_, std::ios::binary);
    file << text;
    CHECK(file.flush().good());
  }
  ~TemporaryYaml() { unlink(path_.c_str()); }
  TemporaryYaml(const TemporaryYaml&) = delete;
  TemporaryYaml& operator=(const TemporaryYaml&) = delete;
  const std::string& path() const { return path_; }

  std::string Refusal(const std::vector<std::string>& overrides = {}) const {
    const auto spec = ReadExperimentYaml(path_, overrides, nullptr);
    CHECK((spec.ok() || absl::IsInvalidArgument(spec.status())));
    std::string message(spec.status().message());
    for (size_t at = message.find(path_); at != std::string::npos; at = message.find(path_)) {
      message.replace(at, path_.size(), "F");
    }
    return message;
  }

 private:
  std::string path_ = BuildPath(absl::StrCat("spec_yaml_test.", getpid(), ".yaml"));
};

TEST_CASE("the committed experiment reads to what it says") {
  const v1::ExperimentSpec spec = ReadExperimentYaml(kTiny, {}, nullptr).value();
  CHECK(spec.model().d_model() == 64);
  CHECK(spec.train().tokens() == 200'000);
  CHECK(!spec.model().has_d_ff());  // Not written, so not filled in here.
  const v1::ExperimentSpec resolved = ResolveSpec(spec).value();
  CHECK(resolved.model().d_ff() == 170);
  CHECK(resolved.train().tokens() == 98 * 2048);
}

TEST_CASE("every key has an origin: the file, an override, a default or a computation") {
  SpecOrigins origins;
  REQUIRE(ReadExperimentYaml(kTiny, {"model.d_model=96"}, &origins).ok());
  CHECK(origins.at("model.d_model").kind == OriginKind::kOverride);
  CHECK(origins.at("model.d_model").text == "override model.d_model=96");
  CHECK(origins.at("model.n_layers").kind == OriginKind::kFile);
  CHECK(origins.at("model.n_layers").text == kTiny + ":9:13");
  CHECK(origins.at("model.d_ff").kind == OriginKind::kComputed);
  CHECK(origins.at("optim.adamw.beta1").kind == OriginKind::kDefault);
  CHECK(origins.at("tags").kind == OriginKind::kDefault);
  CHECK(origins.size() > 50);
}

TEST_CASE("a resolved spec written as YAML reads back to the same spec") {
  v1::ExperimentSpec spec = ReadExperimentYaml(kTiny, {}, nullptr).value();
  spec.set_title("a \"quoted\" title: true # or not");
  spec.set_notes("\xC3\xA9t\xC3\xA9");
  spec.add_tags("true");
  spec.add_tags("a, b");
  spec.mutable_optim()->mutable_adamw()->set_lr(0.1 + 0.2);
  const v1::ExperimentSpec resolved = ResolveSpec(spec).value();
  const TemporaryYaml file(WriteYaml(resolved));
  const auto again = ReadExperimentYaml(file.path(), {}, nullptr);
  REQUIRE(again.ok());
  CHECK(MessageDifferencer::Equals(*again, resolved));
}

TEST_CASE("everything wrong with a file is reported at once, at its place") {
  const TemporaryYaml file(
      "model:\n"
      "  d_modle: 64\n"
      "  n_layers: 0\n"
      "  residual: {kind: dll}\n"
      "data: {path: text}\n"
      "seed: 1\n"
      "seed: 2\n"
      "train: {tokens: 20Mb}\n"
      "tags: 5\n");
  CHECK(file.Refusal() ==
        "F:2:3: model: unknown key \"d_modle\" (did you mean \"d_model\"?)\n"
        "F:3:13: model.n_layers: must be at least 1, got 0\n"
        "F:4:20: model.residual.kind: \"dll\" is not one of additive, ddl, write_only, "
        "seed_deepdeltares, seed_write_only, hyper_connections (did you mean \"ddl\"?)\n"
        "F:7:1: key \"seed\" appears twice (first at 6:1)\n"
        "F:8:17: train.tokens: \"20Mb\" is not a token count such as 20M, 2e7 or 20_000_000 "
        "(suffixes k, M, G or B, T are powers of 1000)\n"
        "F:9:7: tags: must be a list, got 5");
}

TEST_CASE("a default that a written key makes invalid is reported at the written key") {
  CHECK(absl::StartsWith(TemporaryYaml("data: {path: t}\nmodel:\n  d_model: 100\n").Refusal(),
                         "F:3:12: model.d_model: d_model must be divisible by n_heads"));
  CHECK(absl::StartsWith(
      TemporaryYaml("data: {path: t}\nmodel:\n  d_model: 768\n  n_heads: 5\n").Refusal(),
      "F:3:12: model.d_model: d_model must be divisible by n_heads"));
  const std::string long_sequences =
      TemporaryYaml("data: {path: t}\nmodel:\n  max_seq_len: 262144\n").Refusal();
  CHECK(
      absl::StrContains(long_sequences, "F:3:16: model.max_seq_len: global_batch_tokens must be"));
}

TEST_CASE("every committed experiment resolves") {
  int experiments = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(kTiny).parent_path())) {
    const auto spec = ReadExperimentYaml(entry.path().string(), {}, nullptr);
    INFO(entry.path().string() << ": " << spec.status());
    REQUIRE(spec.ok());
    CHECK(ResolveSpec(*spec).ok());
    ++experiments;
  }
  CHECK(experiments >= 6);
}

TEST_CASE("an override is checked as a file is, and named in its error") {
  const TemporaryYaml file("data: {path: text}\n");
  CHECK(file.Refusal({"model.d_modle=4"}) ==
        "override model.d_modle=4: model: unknown key \"d_modle\" (did you mean \"d_model\"?)");
  CHECK(file.Refusal({"model.d_model=4"}) ==
        "override model.d_model=4: model.d_model: must be at least 8, got 4");
  CHECK(file.Refusal({"~data.path"}) ==
        "F:1:7: data.path: is required, unless data.synthetic.task is given: a folder made by `ddl "
        "data prep`");
  CHECK(file.Refusal({"title=12", "model.residual={kind: ddl, value_channels: 4}"}).empty());
}

TEST_CASE("an empty file and one that is no mapping are refused") {
  CHECK(TemporaryYaml("").Refusal() == "F: must be a mapping, got nothing");
  CHECK(TemporaryYaml("- a\n").Refusal() == "F:1:1: must be a mapping, got a list");
  CHECK(absl::IsNotFound(ReadExperimentYaml("/no/such.yaml", {}, nullptr).status()));
}

TEST_CASE("a sweep is known by its keys") {
  CHECK(KindOfSpecFile(kTiny).value() == SpecFileKind::kExperiment);
  CHECK(KindOfSpecFile(kQuickstart).value() == SpecFileKind::kSweep);
  const TemporaryYaml list("- a\n");
  CHECK(absl::IsInvalidArgument(KindOfSpecFile(list.path()).status()));
  const TemporaryYaml broken("a: 1\na: 2\nmethod: grid\n");
  CHECK(KindOfSpecFile(broken.path()).value() == SpecFileKind::kSweep);
}

// Bytes changed, taken out, doubled or put in from a list that YAML cares about.
std::string Mutated(std::string text, std::mt19937_64* random) {
  static const std::string kBytes =
      std::string(1, '\0') + "[]{}:,-?&*!|>'\"%@`#\n\t \xFF\xC3~<=.e0123456789";
  const int changes = static_cast<int>((*random)() % 8) + 1;
  for (int i = 0; i < changes && !text.empty(); ++i) {
    const size_t at = (*random)() % text.size();
    const char byte = kBytes[(*random)() % kBytes.size()];
    switch ((*random)() % 5) {
      case 0: text[at] = byte; break;
      case 1: text.erase(at, (*random)() % 20); break;
      case 2: text.insert(at, 1, byte); break;
      case 3: text.insert(at, text.substr((*random)() % text.size(), (*random)() % 60)); break;
      default: text[at] = static_cast<char>((*random)() % 256);
    }
  }
  return text;
}

TEST_CASE("mutated files are read or refused, and what is read resolves and reads back") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const std::string tiny = ReadFile(kTiny).value();
  const std::string quickstart = ReadFile(kQuickstart).value();
  int read = 0;
  for (int i = 0; i < 1000; ++i) {
    const bool sweep = random() % 2 == 0;
    const TemporaryYaml file(Mutated(sweep ? quickstart : tiny, &random));
    if (sweep) {
      const auto spec = ReadSweepYaml(file.path(), {});
      if (!spec.ok()) continue;
      ++read;
      REQUIRE(CheckSweep(*spec).ok());
      continue;
    }
    const auto spec = ReadExperimentYaml(file.path(), {}, nullptr);
    if (!spec.ok()) continue;
    ++read;
    const TemporaryYaml again(WriteYaml(*spec));
    INFO(ReadFile(again.path()).value());
    const auto reread = ReadExperimentYaml(again.path(), {}, nullptr);
    REQUIRE(reread.ok());
    REQUIRE(MessageDifferencer::Equals(*reread, *spec));
  }
  CHECK(read > 10);
}

}  // namespace
}  // namespace ddl
