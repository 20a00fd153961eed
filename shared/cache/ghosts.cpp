#include "shared/cache/ghosts.h"

#include <algorithm>

namespace proxyd::cache {
namespace {

constexpr size_t kLine = 8;   // words: the places where a ghost may stand

uint32_t whose(uint64_t word) { return static_cast<uint32_t>(word); }
uint32_t age(uint64_t word, uint32_t clock) { return clock - static_cast<uint32_t>(word >> 32); }
bool holds(uint64_t word, uint32_t fingerprint, uint32_t clock, uint32_t newest) {
  return word != 0 && whose(word) == fingerprint && age(word, clock) < newest;
}

}   // namespace

size_t Ghosts::words(uint32_t objects) { return kLine * std::max<size_t>(1, (objects + kLine - 1) / kLine); }

std::span<uint64_t> Ghosts::line(uint32_t fingerprint) const {
  return words_.subspan(kLine * (fingerprint * (words_.size() / kLine) >> 32), kLine);
}

void Ghosts::add(uint32_t fingerprint) {
  ++clock_;
  auto places = line(fingerprint);
  auto place = std::find_if(places.begin(), places.end(), [&](uint64_t word) { return whose(word) == fingerprint; });
  if (place == places.end()) place = std::find(places.begin(), places.end(), 0);
  if (place == places.end())
    place = std::max_element(places.begin(), places.end(),
                             [&](uint64_t left, uint64_t right) { return age(left, clock_) < age(right, clock_); });
  *place = static_cast<uint64_t>(clock_) << 32 | fingerprint;
}

bool Ghosts::take(uint32_t fingerprint, uint32_t newest) {
  for (uint64_t& word : line(fingerprint))
    if (holds(word, fingerprint, clock_, newest)) {
      word = 0;
      return true;
    }
  return false;
}

bool Ghosts::contains(uint32_t fingerprint, uint32_t newest) const {
  return std::ranges::any_of(line(fingerprint),
                             [&](uint64_t word) { return holds(word, fingerprint, clock_, newest); });
}

void Ghosts::clear() { std::ranges::fill(words_, 0); }

}   // namespace proxyd::cache
