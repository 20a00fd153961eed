// What the cache's eviction hits, by the class that ships, offline: against the published ratios of TinyUFO, and
// against LRU and S3-FIFO on loads that stay, shift, scan, and never come again. A row ends with "kept", or "MISSED"
// and why; the exit status is 1 when one was missed.
//
//   hit_ratio [--quick] [--shards N]
//   hit_ratio --trace FILE [--capacity OCTETS] [--rows N] [--shards N]     lines of the file: key size
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "simulated/caches.h"

namespace proxyd::bench {
namespace {

constexpr double kBar = 1.0;        // points below what is published, LRU or S3-FIFO
constexpr double kSameLoad = 0.5;   // points between our LRU and the published one: else the load is another
constexpr double kSplitBar = 1.0;   // points that shards may cost
constexpr uint32_t kKeys = 10'000;
constexpr uint32_t kObjectsOfAShard = 1'000;
constexpr double kSizes[] = {0.005, 0.01, 0.05, 0.10, 0.25};   // of the keys
constexpr double kNone = 0;

// TinyUFO at those sizes, and LRU where it is given.
struct Published {
  double exponent;
  double tiny_ufo[5];
  double lru[5];
};
constexpr Published kPublished[] = {
    {0.90, {33.35, 40.06, 57.80, 66.36, 78.53}, {19.24, 26.23, 45.58, 55.72, 71.16}},
    {1.00, {45.15, 52.30, 68.79, 75.92, 85.28}, {31.08, 39.17, 58.71, 67.59, 79.94}},
    {1.05, {51.12, 58.41, 73.93, 80.24, 88.14}, {}},
    {1.10, {57.28, 64.24, 78.55, 84.01, 90.66}, {}},
};
constexpr double kPublishedShifting = 55.6;   // at 5 %

struct Options {
  bool quick = false;
  uint32_t shards = 0;   // not said
  uint32_t rows = 0;
  uint64_t capacity = 0;
  std::string trace;
};

struct Size {
  uint64_t capacity;   // octets
  uint32_t rows;       // objects at most
  uint32_t shards = 1;
};

class Table {
 public:
  void head(const char* title) {
    std::printf("\n%s\n%-28s %10s %9s %9s %9s %9s %9s\n", title, "load", "capacity", "TinyUFO", "published", "LRU",
                "S3-FIFO", "octets");
  }
  void compare(const Load& load, const Size& size, double published = kNone, double published_lru = kNone) {
    const Ratio ours = replay(load, TinyUfoCache(size.capacity, load.keys, size.rows, size.shards));
    const double lru = replay(load, LruCache(size.capacity, load.keys)).requests;
    const double s3_fifo = replay(load, S3FifoCache(size.capacity, load.keys)).requests;
    std::string missed;
    if (ours.requests < published - kBar) missed += " below published";
    if (ours.requests < lru - kBar) missed += " below LRU";
    if (ours.requests < s3_fifo - kBar) missed += " below S3-FIFO";
    if (published_lru != kNone && std::abs(lru - published_lru) > kSameLoad) missed += " not the published load";
    std::printf("%-28s %10llu %9.2f ", load.name.c_str(), static_cast<unsigned long long>(size.capacity),
                ours.requests);
    published == kNone ? std::printf("%9s ", "") : std::printf("%9.2f ", published);
    std::printf("%9.2f %9.2f %9.2f   ", lru, s3_fifo, ours.octets);
    say(missed);
  }
  void split(const Load& load, uint32_t shards) {
    const uint32_t capacity = shards * kObjectsOfAShard;
    const double whole = replay(load, TinyUfoCache(capacity, load.keys, capacity, 1)).requests;
    const double parts = replay(load, TinyUfoCache(capacity, load.keys, capacity, shards)).requests;
    std::printf("%-28s %10u %9u %9.2f %9.2f %9s %9s   ", load.name.c_str(), capacity, shards, whole, parts, "", "");
    say(parts < whole - kSplitBar ? " below one shard" : "");
  }
  bool kept() const { return kept_; }

 private:
  void say(const std::string& missed) {
    std::puts(missed.empty() ? "kept" : ("MISSED:" + missed).c_str());
    std::fflush(stdout);
    kept_ = kept_ && missed.empty();
  }
  bool kept_ = true;
};

Size of_keys(double share) {
  const auto objects = static_cast<uint32_t>(share * kKeys);
  return {objects, objects};
}

// Rows as many as twice the mean object needs, so that small ones may run out of them.
Size of_octets(const Load& load, uint64_t capacity) {
  const uint64_t mean = std::max<uint64_t>(1, load.footprint() / load.keys);
  return {capacity, static_cast<uint32_t>(std::clamp<uint64_t>(2 * capacity / mean, 16, load.keys))};
}

void static_rows(Table& table, bool quick) {
  table.head("Static popularity, 10,000 keys, against the published ratios");
  for (const Published& published : kPublished) {
    if (quick && published.exponent != 0.9 && published.exponent != 1.1) continue;
    const Load load = static_load(kKeys, published.exponent, quick ? 2'000'000 : 5'000'000);
    for (size_t at = 0; at < std::size(kSizes); ++at)
      table.compare(load, of_keys(kSizes[at]), published.tiny_ufo[at], published.lru[at]);
  }
}

void other_rows(Table& table, bool quick) {
  const size_t requests = quick ? 500'000 : 3'000'000;
  const auto compare = [&](const Load& load, double published = kNone) {
    for (const double share : {0.01, 0.05, 0.10, 0.25})
      if (!quick || share == 0.05 || share == 0.25)
        table.compare(load, of_keys(share), share == 0.05 && !quick ? published : kNone);
  };
  table.head("Popularity that shifts, keys that never come again, scans");
  compare(shifting_load(kKeys, Rotation::next_ranks_rise, quick ? requests : 5'000'000), kPublishedShifting);
  compare(shifting_load(kKeys, Rotation::last_ranks_rise, requests));
  for (const double share : {0.2, 0.5, 0.8}) compare(one_hit_load(kKeys, share, requests));
  compare(scanning_load(kKeys, Scan::same_keys, requests));
  compare(scanning_load(kKeys, Scan::new_keys, requests));
  compare(looping_load(kKeys, requests));
}

void sized_rows(Table& table, bool quick) {
  table.head("Objects of many sizes, capacity in octets");
  for (const double spread : {1.0, 1.6, 2.2})
    for (const Popularity popularity : {Popularity::stays, Popularity::shifts}) {
      const Load load = sized_load(kKeys, spread, popularity, quick ? 500'000 : 3'000'000);
      for (const double share : {0.01, 0.05, 0.10, 0.25})
        if (!quick || share == 0.10)
          table.compare(load, of_octets(load, static_cast<uint64_t>(share * static_cast<double>(load.footprint()))));
    }
}

void split_rows(Table& table, uint32_t shards, bool quick) {
  const uint32_t keys = 10 * shards * kObjectsOfAShard;
  const size_t requests = std::max<size_t>(quick ? 500'000 : 3'000'000, 10UL * keys);
  table.split(static_load(keys, kUsualExponent, requests), shards);
  if (quick) return;
  table.split(shifting_load(keys, Rotation::next_ranks_rise, requests), shards);
  table.split(one_hit_load(keys, 0.5, requests), shards);
  table.split(scanning_load(keys, Scan::new_keys, requests), shards);
}

void all_splits(Table& table, const std::vector<uint32_t>& counts, bool quick) {
  std::printf("\nThe capacity split, %u objects a shard, ten times as many keys\n%-28s %10s %9s %9s %9s\n",
              kObjectsOfAShard, "load", "capacity", "shards", "one", "split");
  for (const uint32_t shards : counts) split_rows(table, shards, quick);
}

void trace_rows(Table& table, const Options& options) {
  const Load load = trace_load(options.trace);
  std::vector<uint64_t> capacities{options.capacity};
  if (options.capacity == 0) {
    capacities.clear();
    for (const double share : kSizes)
      capacities.push_back(static_cast<uint64_t>(share * static_cast<double>(load.footprint())));
  }
  table.head("A trace");
  for (const uint64_t capacity : capacities) {
    Size size = of_octets(load, capacity);
    if (options.rows != 0) size.rows = options.rows;
    size.shards = std::max(1U, options.shards);
    table.compare(load, size);
  }
}

uint64_t number(const std::string& option, const std::string& text, uint64_t most) {
  size_t end = 0;
  uint64_t value = 0;
  try {
    value = std::stoull(text, &end);
  } catch (const std::exception&) {
  }
  if (end != text.size() || value == 0 || value > most)
    throw std::runtime_error(option + " takes a number from 1 to " + std::to_string(most) + ", not '" + text + "'");
  return value;
}

Options read_options(const std::vector<std::string>& words) {
  Options options;
  for (size_t at = 0; at < words.size(); ++at) {
    const std::string& option = words[at];
    if (option == "--quick") {
      options.quick = true;
      continue;
    }
    if (option != "--trace" && option != "--capacity" && option != "--rows" && option != "--shards")
      throw std::runtime_error("'" + option + "' is no option: --quick, --shards, --trace, --capacity, --rows");
    if (++at == words.size()) throw std::runtime_error(option + " takes a value");
    if (option == "--trace") options.trace = words[at];
    if (option == "--capacity") options.capacity = number(option, words[at], UINT64_MAX / 2);
    if (option == "--rows") options.rows = static_cast<uint32_t>(number(option, words[at], 1U << 30));
    if (option == "--shards") options.shards = static_cast<uint32_t>(number(option, words[at], 64));
  }
  if (options.trace.empty() && (options.capacity != 0 || options.rows != 0))
    throw std::runtime_error("--capacity and --rows are for a --trace");
  return options;
}

bool run(const Options& options) {
  Table table;
  if (!options.trace.empty()) {
    trace_rows(table, options);
  } else if (options.shards != 0) {
    all_splits(table, {options.shards}, options.quick);
  } else {
    static_rows(table, options.quick);
    other_rows(table, options.quick);
    sized_rows(table, options.quick);
    all_splits(table, options.quick ? std::vector<uint32_t>{8} : std::vector<uint32_t>{8, 64}, options.quick);
  }
  std::puts(table.kept() ? "\nevery bar is kept" : "\nsome bars are MISSED");
  return table.kept();
}

}   // namespace
}   // namespace proxyd::bench

int main(int count, char** words) {
  try {
    return proxyd::bench::run(proxyd::bench::read_options({words + 1, words + count})) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 2;
  }
}
