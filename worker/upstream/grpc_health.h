#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace proxyd::upstream {

// The messages of grpc.health.v1.Health/Check, in the frames of gRPC.

// HealthCheckRequest for a service; empty: the whole server. At most 8 KiB.
std::string grpc_health_request(std::string_view service);

// The number in HealthCheckResponse: 1 is SERVING. Nothing where the content is no such message.
std::optional<uint64_t> grpc_health_status(std::string_view content);

}   // namespace proxyd::upstream
