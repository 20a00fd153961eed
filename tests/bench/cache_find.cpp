// What a lookup in the shared cache costs: cache_find [OBJECTS [TIMES]]. Prints nanoseconds of processor time for each
// find of a present key (few and many of them), of an absent one, and for storing one small response.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "shared/cache/cache.h"

int main(int count, char** words) {
  using namespace proxyd::cache;
  const auto objects = count > 1 ? static_cast<size_t>(std::atoi(words[1])) : 100'000;
  const auto times = count > 2 ? static_cast<size_t>(std::atoi(words[2])) : 2'000'000;
  auto region = create_region(uint64_t{512} << 20);
  if (!region) return 1;
  Cache cache(view_of(*region), 0, 1);
  std::vector<std::string> keys;
  for (size_t i = 0; i < 2 * objects; ++i)
    keys.push_back("https://www.example.org/some/path/to/an/object/" + std::to_string(i));
  const std::string content(300, 'x');
  const std::string section(250, 'y');
  const auto cpu_now = [] {   // of this thread: others may want the processor as well
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  };
  const auto ns_each = [&](double since, size_t of) { return (cpu_now() - since) / static_cast<double>(of); };
  const double begin = cpu_now();
  for (size_t i = 0; i < objects; ++i) {
    FillLock lock = cache.begin_fill(keys[i], 0, 0);
    if (lock.filler.set_head(Head{.section = section, .length = content.size()}) != Written::ok) return 1;
    lock.filler.append(content);
    lock.filler.complete();
    cache.tend(static_cast<int64_t>(i));
  }
  std::printf("store with tend   %7.1f ns\n", ns_each(begin, objects));
  const auto find = [&](const char* name, size_t first, size_t among) {
    size_t found = 0;
    const double since = cpu_now();
    for (size_t i = 0; i < times; ++i) {
      found += cache.find(keys[first + (i * 7919) % among], 0, 0).outcome == Lookup::Outcome::found;
    }
    std::printf("%s %7.1f ns (%zu %% found)\n", name, ns_each(since, times), found * 100 / times);
  };
  find("find among 100    ", 0, 100);
  find("find among all    ", 0, objects);
  find("find what is not  ", objects, objects);
  return 0;
}
