#include "shared/limits/limits_region.h"

#include "shared/base/digest.h"

namespace proxyd::limits {
namespace {

struct Layout {
  SipHash<1>::Secret secret;   // written before the region is shared
  RateSet rates[kRateSets];
  ClientRow clients[kWorkerSlots];
};

constexpr std::string_view kName = "limits";
constexpr uint64_t kLayoutHash = 0x6c696d69'00000001 ^ (uint64_t{sizeof(Layout)} << 8);

Layout& layout(const memory::Region& region) { return *reinterpret_cast<Layout*>(region.data()); }

}   // namespace

LimitsRegion::LimitsRegion(memory::Region region) : region_(std::move(region)), secret_(layout(region_).secret) {}

Result<LimitsRegion> LimitsRegion::create() {
  auto region = memory::Region::create(kName, kLayoutHash, sizeof(Layout));
  if (!region) return region.error();
  SipHash<1>::Secret& secret = layout(*region).secret;
  random_bytes({reinterpret_cast<uint8_t*>(secret.data()), sizeof secret});
  return LimitsRegion(std::move(*region));
}

Result<LimitsRegion> LimitsRegion::adopt(UniqueFd descriptor) {
  auto region = memory::Region::adopt(std::move(descriptor), kName, kLayoutHash, sizeof(Layout));
  if (!region) return region.error();
  return LimitsRegion(std::move(*region));
}

RateTable LimitsRegion::rates() const { return RateTable(layout(region_).rates); }

ClientRows LimitsRegion::clients() const { return ClientRows(layout(region_).clients); }

uint64_t LimitsRegion::hash(uint64_t domain, std::string_view text) const {
  SipHash<1> hash(secret_);
  hash.take(domain);
  hash.take(text);
  return hash.finish(3) | uint64_t{1} << 63;
}

uint64_t LimitsRegion::hash(uint64_t domain, uint64_t word) const {
  SipHash<1> hash(secret_);
  hash.take(domain);
  hash.take(word);
  return hash.finish(3) | uint64_t{1} << 63;
}

}   // namespace proxyd::limits
