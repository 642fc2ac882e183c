// The byte-level tokenizer: token b is byte b, and one token more ends a document.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace ddl {

inline constexpr uint16_t kEndOfDocument = 256;
inline constexpr uint32_t kByteVocabSize = 257;
inline constexpr absl::string_view kByteTokenizerName = "byte";

// What makes two data sets comparable: SHA-256 of the tokenizer's definition.
std::string ByteTokenizerSha256();

// Appends the document's bytes and an end-of-document token.
void AppendDocument(absl::string_view document, std::vector<uint16_t>* tokens);

// Text of tokens; an end of document becomes "<|end|>". For people: the text of a document that
// itself contains that word does not read back. Tokens must be below kByteVocabSize.
std::string TextOfTokens(absl::Span<const uint16_t> tokens);

}  // namespace ddl
