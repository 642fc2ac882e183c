#include "common/tokenizer.h"

#include "common/check.h"
#include "common/digest.h"

namespace ddl {

std::string ByteTokenizerSha256() {
  return Sha256Hex(R"({"kind":"byte","vocab_size":257,"end_of_document":256})");
}

void AppendDocument(absl::string_view document, std::vector<uint16_t>* tokens) {
  for (const char c : document) tokens->push_back(static_cast<unsigned char>(c));
  tokens->push_back(kEndOfDocument);
}

std::string TextOfTokens(absl::Span<const uint16_t> tokens) {
  std::string text;
  for (const uint16_t token : tokens) {
    DDL_CHECK(token < kByteVocabSize);
    if (token == kEndOfDocument) {
      text += "<|end|>";
    } else {
      text.push_back(static_cast<char>(token));
    }
  }
  return text;
}

}  // namespace ddl
