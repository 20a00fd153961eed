#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shared/config/model.h"
#include "worker/routing/request_key.h"

namespace proxyd::routing {

// Draws one of several upstreams by shares; the same for the same value of `by`. Each upstream scores the value with a
// keyed hash of its own, bent by its share (weighted rendezvous hashing): when a share grows, it only gains, and
// nobody moves between two others. Immutable; owned by its route.
class Split {
 public:
  explicit Split(const config::Split& rules);

  const std::vector<std::string>& upstreams() const { return names_; }
  // The index of the upstream with the best score among those that `usable(index)` admits; nothing is admitted: the
  // best of all.
  template <class Usable>
  size_t draw(const RequestFacts& facts, Usable usable) const {
    const uint64_t hash = hash_of(facts);
    size_t best = names_.size();
    double best_score = 0;
    for (int pass = 0; pass < 2 && best == names_.size(); ++pass) {
      for (size_t i = 0; i < names_.size(); ++i) {
        const double score = score_of(hash, i);
        if (score > best_score && (pass == 1 || usable(i))) {
          best = i;
          best_score = score;
        }
      }
    }
    return best;
  }

 private:
  uint64_t hash_of(const RequestFacts& facts) const;
  double score_of(uint64_t hash, size_t index) const;   // zero for a share of zero

  RequestKey by_;
  std::vector<std::string> names_;
  std::vector<uint32_t> shares_;
  std::vector<uint64_t> seeds_;
};

}   // namespace proxyd::routing
