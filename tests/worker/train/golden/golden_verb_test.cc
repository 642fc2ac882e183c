// Reference files made wrong in every way: each is noticed, and said once.
#include "worker/train/golden/golden_verb.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/safetensors.h"
#include "tests/common/scratch_folder.h"
#include "tests/places.h"
#include "tests/worker/torch_test.h"

namespace ddl {
namespace {

// A file in memory, to change and write.
struct Draft {
  struct Entry {
    TensorType type = TensorType::kF32;
    std::vector<int64_t> shape;
    std::string bytes;
  };
  std::map<std::string, std::string> metadata;
  std::map<std::string, Entry> tensors;

  explicit Draft(const std::string& name) {
    const auto file = SafetensorsFile::Open(SourcePath(absl::StrCat("tests/golden/", name)));
    REQUIRE(file.ok());
    metadata = file->metadata();
    for (const TensorView& view : file->tensors()) {
      tensors[view.name] = {view.type, view.shape, std::string(view.bytes)};
    }
  }
  void Write(const std::string& path) const {
    std::vector<TensorView> views;
    for (const auto& [name, entry] : tensors) {
      views.push_back({name, entry.type, entry.shape, entry.bytes});
    }
    REQUIRE(WriteSafetensors(path, views, metadata).ok());
  }
  // Changes the first number of a tensor.
  void Scale(const std::string& name, float factor) {
    float value = 0;
    std::memcpy(&value, tensors.at(name).bytes.data(), sizeof value);
    value *= factor;
    std::memcpy(tensors.at(name).bytes.data(), &value, sizeof value);
  }
};

struct Answer {
  int code = 0;
  std::string out, error;
};

Answer RunVerb(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream error;
  const int code = GoldenVerb(arguments, out, error);
  return {code, out.str(), error.str()};
}

const char* const kSmall = "own/base_as_seed.safetensors";

void CheckRefused(const ScratchFolder& folder, const Draft& draft, const std::string& rule) {
  const std::string path = folder / "bad.safetensors";
  draft.Write(path);
  const Answer answer = RunVerb({path});
  INFO(answer.error);
  CHECK(answer.code == 2);
  CHECK(absl::StrContains(answer.error, rule));
  CHECK(absl::StrContains(answer.error, path));
  CHECK(std::count(answer.error.begin(), answer.error.end(), '\n') == 1);
  CHECK(answer.out.empty());
}

TEST_CASE("A file that holds passes with every group in the table and in JSON") {
  const std::string path = SourcePath(absl::StrCat("tests/golden/", kSmall));
  const Answer table = RunVerb({path});
  CHECK(table.code == 0);
  CHECK(table.error.empty());
  const Answer json = RunVerb({"--json", path});
  CHECK(json.code == 0);
  const auto tree = nlohmann::json::parse(json.out);
  CHECK(tree["ok"] == true);
  std::vector<std::string> groups;
  for (const auto& group : tree["files"][0]["groups"]) {
    groups.push_back(group["group"]);
    CHECK(group["error"].get<double>() <= group["tolerance"].get<double>());
    CHECK(absl::StrContains(table.out, groups.back()));
  }
  CHECK(groups == std::vector<std::string>{"block_out", "logits", "loss", "grad", "train/loss",
                                           "train/grad_norm", "train/param"});
}

TEST_CASE("A number that is off is found in its group and tensor, with exit code 1") {
  const ScratchFolder folder;
  const std::map<std::string, std::string> groups = {
      {"block_out/1", "block_out"},
      {"logits", "logits"},
      {"loss", "loss"},
      {"grad/ln_f.weight", "grad"},
      {"train/loss", "train/loss"},
      {"train/grad_norm", "train/grad_norm"},
      {"train/param/transformer.h.1.mlp.c_proj.weight", "train/param"}};
  for (const auto& [tensor, group] : groups) {
    Draft draft(kSmall);
    draft.Scale(tensor, 3.0F);
    draft.Write(folder / "off.safetensors");
    const Answer answer = RunVerb({"--json", folder / "off.safetensors"});
    INFO(tensor);
    CHECK(answer.code == 1);
    CHECK(answer.error.empty());
    int over = 0;
    const auto tree = nlohmann::json::parse(answer.out);
    for (const auto& row : tree["files"][0]["groups"]) {
      if (row["ok"] == true) continue;
      ++over;
      CHECK(row["group"] == group);
      CHECK(row["tensor"] == tensor);
    }
    CHECK(over == 1);
  }
}

TEST_CASE("A key without counterpart is refused, whichever side has it") {
  const ScratchFolder folder;
  const Draft whole(kSmall);
  for (const auto& [name, entry] : whole.tensors) {
    Draft draft = whole;
    draft.tensors.erase(name);
    CheckRefused(folder, draft, absl::StrCat("the file has no tensor ", name));
  }
  for (const std::string name :
       {"param/extra", "grad/transformer.h.2.ln_1.weight", "block_out/2", "train/step", "idx2"}) {
    Draft draft = whole;
    draft.tensors[name] = {TensorType::kF32, {1}, std::string(4, '\0')};
    CheckRefused(folder, draft, absl::StrCat(name, " has no counterpart"));
  }
}

TEST_CASE("A tensor of another shape or type is refused by its name") {
  const ScratchFolder folder;
  const Draft whole(kSmall);
  for (const auto& [name, entry] : whole.tensors) {
    Draft draft = whole;
    draft.tensors[name].shape.push_back(1);
    CheckRefused(folder, draft, name);
    draft.tensors[name].shape.pop_back();
    draft.tensors[name].type = entry.type == TensorType::kI64 ? TensorType::kF64 : TensorType::kI32;
    CheckRefused(folder, draft, name);
  }
}

TEST_CASE("Metadata that are absent, and numbers that are not finite, are refused") {
  const ScratchFolder folder;
  const Draft whole("own/vdim1_two_layers.safetensors");
  for (const char* key :
       {"variant", "hidden_size", "num_hidden_layers", "num_attention_heads", "head_dim",
        "vocab_size", "rope_ratio", "use_qk_rmsnorm", "ddl_beta_single_linear",
        "ddl_beta_hidden_size", "ddl_k_eps", "ddl_v_sigmoid", "ddl_v_sigmoid_scale"}) {
    Draft draft = whole;
    draft.metadata.erase(key);
    CheckRefused(folder, draft, absl::StrCat("metadata has no key ", key));
  }
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (const char* name : {"param/ln_f.weight", "logits", "train/grad_norm"}) {
      Draft draft = whole;
      std::memcpy(draft.tensors.at(name).bytes.data(), &value, sizeof value);
      CheckRefused(folder, draft, absl::StrCat(name, " must be finite"));
    }
  }
  for (const int64_t token : {int64_t{-1}, int64_t{41}}) {
    for (const char* name : {"idx", "tgt"}) {
      Draft draft = whole;
      std::memcpy(draft.tensors.at(name).bytes.data(), &token, sizeof token);
      CheckRefused(folder, draft,
                   absl::StrCat(name, " must have tokens from 0 to 40, got ", token));
    }
  }
}

TEST_CASE("A file that is cut, or whose header lies, is refused") {
  const ScratchFolder folder;
  const std::string path = folder / "bad.safetensors";
  Draft(kSmall).Write(path);
  const std::string bytes = ReadFile(path).value();
  for (const size_t size :
       {size_t{0}, size_t{7}, size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
    Spit(path, bytes.substr(0, size));
    const Answer answer = RunVerb({path});
    INFO(size << " bytes: " << answer.error);
    CHECK(answer.code == 2);
    CHECK(absl::StrContains(answer.error, path));
  }
  // Each offset and extent one digit larger than it is.
  std::string lying = bytes;
  const size_t place = lying.find("\"data_offsets\":[");
  REQUIRE(place != std::string::npos);
  const size_t digit = lying.find(']', place) - 1;
  lying[digit] = lying[digit] == '9' ? '8' : '9';
  Spit(path, lying);
  CHECK(RunVerb({path}).code == 2);
  CHECK(RunVerb({folder / "absent.safetensors"}).code == 2);
}

TEST_CASE("Several files are all checked, and the worst of them gives the exit code") {
  const ScratchFolder folder;
  const std::string good = SourcePath(absl::StrCat("tests/golden/", kSmall));
  Draft off(kSmall);
  off.Scale("loss", 2.0F);
  off.Write(folder / "off.safetensors");
  CHECK(RunVerb({folder / "off.safetensors", good}).code == 1);
  const Answer answer = RunVerb({"--json", folder / "off.safetensors", folder / "absent", good});
  CHECK(answer.code == 2);
  const auto tree = nlohmann::json::parse(answer.out);
  REQUIRE(tree["files"].size() == 3);
  CHECK(tree["files"][0]["ok"] == false);
  CHECK(absl::StrContains(tree["files"][1]["error"].get<std::string>(), "absent"));
  CHECK(tree["files"][2]["ok"] == true);
  CHECK(RunVerb({}).code == 2);
  CHECK(RunVerb({"--jsn", good}).code == 2);
}

TEST_CASE("A reference file of Muon is held to its groups, keys and settings") {
  const ScratchFolder folder;
  const Draft whole("muon_polar_express.safetensors");
  whole.Write(folder / "muon.safetensors");
  const Answer good = RunVerb({folder / "muon.safetensors"});
  CHECK(good.code == 0);
  CHECK(absl::StrContains(good.out, "polar"));
  CHECK(absl::StrContains(good.out, "update"));
  for (const std::string name : {"polar_bf16/1", "param2/0", "grad/3/2"}) {
    Draft draft = whole;
    draft.tensors.erase(name);
    CheckRefused(folder, draft, absl::StrCat("the file has no tensor ", name));
  }
  Draft extra = whole;
  extra.tensors["param4/0"] = extra.tensors["param3/0"];
  CheckRefused(folder, extra, "param4/0 has no counterpart");
  Draft vector = whole;
  vector.tensors["in/0"].shape = {48 * 48};
  CheckRefused(folder, vector, "in/0 must have 2 axes");
  for (const char* key : {"momentum", "nesterov", "lr", "steps"}) {
    Draft draft = whole;
    draft.metadata.erase(key);
    CheckRefused(folder, draft, absl::StrCat("metadata has no key ", key));
  }
  Draft off = whole;
  off.metadata["momentum"] = "0.5";
  off.Write(folder / "off.safetensors");
  CHECK(RunVerb({folder / "off.safetensors"}).code == 1);
}

}  // namespace
}  // namespace ddl
