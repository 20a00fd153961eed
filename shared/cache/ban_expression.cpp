#include "shared/cache/ban_expression.h"

#include <re2/re2.h>

#include <algorithm>

namespace proxyd::cache {
namespace {

constexpr int64_t kMostMemory = 1 << 20;   // of each: 64 are 64 MiB in a process, if all of them are made to cost that
constexpr int kMostInstructions = 1200;    // whose automaton fits that memory: matching costs what the text is long

RE2::Options options() {
  RE2::Options options(RE2::Quiet);
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_max_mem(kMostMemory);
  options.set_never_capture(true);
  return options;
}

}   // namespace

BanExpression::BanExpression() = default;
BanExpression::BanExpression(std::string_view text)
    : expression_(std::make_unique<RE2>(re2::StringPiece(text.data(), text.size()), options())) {}
BanExpression::BanExpression(BanExpression&& other) noexcept = default;
BanExpression& BanExpression::operator=(BanExpression&& other) noexcept = default;
BanExpression::~BanExpression() = default;

std::string BanExpression::fault() const {
  std::string text = !expression_ || expression_->ok() ? "" : expression_->error();
  std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

bool BanExpression::is_too_large() const { return expression_ && expression_->ProgramSize() > kMostInstructions; }

bool BanExpression::matches(std::string_view text) const {
  return !expression_ || !expression_->ok() ||
         RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *expression_);
}

}   // namespace proxyd::cache
