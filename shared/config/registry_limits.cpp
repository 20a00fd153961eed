#include "shared/config/registry_types.h"

namespace proxyd::config::registry {
namespace {

const ObjectType kAccessList{"access_list",
                             {
                                 {"allow", &kCidrs, "[]", "networks of clients; with it everyone else is denied"},
                                 {"deny", &kCidrs, "[]", "networks of clients; the longest prefix decides"},
                             }};
const ValueType kAccessListValue = object_of(kAccessList);

}   // namespace

const ValueType kAccessLists = map_of(kAccessListValue);
const ValueType kAccessChoice = text(Format::kName);

}   // namespace proxyd::config::registry
