#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "worker/proxy/purge_order.h"

namespace proxyd::proxy {

// How a PURGE that was carried out is told. All of it, as the client is answered: octets that need not be UTF-8.
nlohmann::json described(const PurgeOrder& order, const caching::PurgeRequest& purge);
// As JSON text; what is no UTF-8 is replaced.
std::string text_of(const nlohmann::json& value);
// As much as people need to know it by, within what the master takes (master/worker_message).
nlohmann::json for_the_record(std::string_view mode, const Request& request, const nlohmann::json& purged);

}   // namespace proxyd::proxy
