// A small data folder for tests: text of a first-order Markov chain over bytes, so that a model can
// learn something from it. Sees neither LibTorch nor protobuf.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "common/dataset.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/token_shard.h"
#include "common/tokenizer.h"

namespace ddl {

inline std::vector<uint16_t> MarkovText(uint64_t seed, int64_t tokens) {
  std::mt19937_64 random(seed);
  std::vector<uint16_t> text;
  uint16_t last = 0;
  for (int64_t i = 0; i < tokens; ++i) {
    last = static_cast<uint16_t>((last * 5 + 1 + random() % 3) % 61);
    text.push_back(last);
  }
  return text;
}

inline DatasetFile WriteShard(const std::string& folder, const std::string& split, int index,
                              const std::vector<uint16_t>& tokens) {
  const std::string name = split + "-00" + std::to_string(index) + ".bin";
  const auto written = WriteTokenShard(folder + "/" + name, tokens);
  REQUIRE(written.ok());
  return {.name = name,
          .split = split,
          .tokens = static_cast<int64_t>(tokens.size()),
          .bytes = written->bytes,
          .sha256 = written->sha256};
}

// Two training shards and one for validation; returns the manifest's SHA-256.
inline std::string WriteText(const std::string& folder, int64_t train_tokens = 6000,
                             int64_t val_tokens = 1500) {
  REQUIRE(MakeFolders(folder).ok());
  DatasetManifest manifest{.tokenizer = std::string(kByteTokenizerName),
                           .tokenizer_sha256 = ByteTokenizerSha256(),
                           .vocab_size = kByteVocabSize,
                           .train_documents = 1,
                           .val_documents = 1};
  const std::vector<uint16_t> train = MarkovText(1, train_tokens);
  const auto cut = train.begin() + train_tokens / 3;
  manifest.files = {WriteShard(folder, "train", 0, {train.begin(), cut}),
                    WriteShard(folder, "train", 1, {cut, train.end()}),
                    WriteShard(folder, "val", 0, MarkovText(2, val_tokens))};
  const std::string json = ManifestJson(manifest);
  REQUIRE(WriteFileAtomically(folder + "/manifest.json", json).ok());
  return Sha256Hex(json);
}

}  // namespace ddl
