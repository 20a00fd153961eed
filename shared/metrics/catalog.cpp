#include "shared/metrics/catalog.h"

#include <array>

namespace proxyd::metrics {
namespace {

constexpr Kind kCounter = Kind::kCounter;

constexpr std::array kFamilies = {
    Family{"proxyd_http_requests_total", kCounter, "host,route,class",
           "Requests answered, by route and class of status."},
    Family{"proxyd_http_request_duration_seconds", Kind::kHistogram, "host,route",
           "From the head received to the last octet sent."},
    Family{"proxyd_http_request_bytes_total", kCounter, "host,route", "Octets of request content received."},
    Family{"proxyd_http_response_bytes_total", kCounter, "host,route", "Octets sent to clients, heads included."},
    Family{"proxyd_downstream_accepted_total", kCounter, "listener", "Client connections accepted."},
    Family{"proxyd_downstream_connections", Kind::kGauge, "listener", "Client connections open."},
    Family{"proxyd_upstream_requests_total", kCounter, "upstream,target,class",
           "Responses from targets, by class of status."},
    Family{"proxyd_upstream_connect_total", kCounter, "upstream,target,result", "Connections tried."},
    Family{"proxyd_upstream_connections_reused_total", kCounter, "upstream,target", "Requests on pooled connections."},
    Family{"proxyd_upstream_errors_total", kCounter, "upstream,token",
           "Requests that a target did not answer, by error token."},
    Family{"proxyd_upstream_retries_total", kCounter, "upstream", "Requests sent again."},
    Family{"proxyd_auth_total", kCounter, "host,route,result",
           "Requests of routes with `auth`, by what the client showed."},
    Family{"proxyd_cache_requests_total", kCounter, "host,route,result",
           "Requests of routes that cache, by what the cache was for them."},
    Family{"proxyd_cache_reasons_total", kCounter, "host,route,reason",
           "Why requests were not answered from the cache alone, or their answers not stored."},
    Family{"proxyd_cache_served_bytes_total", kCounter, "host,route", "Octets sent to clients out of the cache."},
    Family{"proxyd_cache_objects", Kind::kGauge, "", "Responses in the cache."},
    Family{"proxyd_cache_bytes", Kind::kGauge, "", "Octets that the cache uses."},
    Family{"proxyd_cache_capacity_bytes", Kind::kGauge, "", "Octets that the cache may use."},
    Family{"proxyd_cache_purges_total", kCounter, "", "Purges, invalidations by requests among them."},
    Family{"proxyd_cache_evicted_total", kCounter, "", "Responses that made room for others."},
    Family{"proxyd_cache_expired_total", kCounter, "", "Responses removed because they were of no use any more."},
    Family{"proxyd_cache_purged_total", kCounter, "", "Responses removed because a purge took them."},
    Family{"proxyd_cache_refused_total", kCounter, "", "Responses not kept: others are asked for more often."},
    Family{"proxyd_cache_no_room_total", kCounter, "", "Responses that found no memory."},
    Family{"proxyd_cache_pins_full_total", kCounter, "", "Hits not served because a worker read too many at once."},
    Family{"proxyd_cache_lock_busy_total", kCounter, "", "Times a lock of the cache was not to be had in 20 ms."},
    Family{"proxyd_cache_fills_taken_over_total", kCounter, "", "Fetches of dead workers that others went on with."},
    Family{"proxyd_cache_repairs_total", kCounter, "", "Repairs of what a dead worker left half changed."},
    Family{"proxyd_upstream_bad_total", kCounter, "reason", "Responses refused."},
    Family{"proxyd_h1_reject_total", kCounter, "reason", "Requests refused before routing."},
    Family{"proxyd_h2_reject_total", kCounter, "reason", "HTTP/2 requests refused before routing."},
    Family{"proxyd_h2_conn_error_total", kCounter, "reason", "HTTP/2 connections of clients ended for what they did."},
    Family{"proxyd_h2_frames_total", kCounter, "direction,type", "HTTP/2 frames of client connections."},
    Family{"proxyd_h2_frame_bytes_total", kCounter, "direction,type", "Octets of their payloads."},
    Family{"proxyd_h2_resets_total", kCounter, "direction,code", "HTTP/2 streams of clients reset, by code."},
    Family{"proxyd_h2_header_table_bytes", Kind::kGauge, "", "Octets in the HPACK tables of client connections."},
    Family{"proxyd_upstream_h2_conn_error_total", kCounter, "reason",
           "HTTP/2 connections to targets ended for faults."},
    Family{"proxyd_upstream_h2_frames_total", kCounter, "direction,type", "HTTP/2 frames of connections to targets."},
    Family{"proxyd_upstream_h2_frame_bytes_total", kCounter, "direction,type", "Octets of their payloads."},
    Family{"proxyd_upstream_h2_resets_total", kCounter, "direction,code", "HTTP/2 streams to targets reset, by code."},
    Family{"proxyd_upstream_h2_header_table_bytes", Kind::kGauge, "", "Octets in the HPACK tables toward targets."},
    Family{"proxyd_route_miss_total", kCounter, "", "Requests for which there is no host or route."},
    Family{"proxyd_misdirected_total", kCounter, "", "Requests for hosts that their TLS connection was not made for."},
    Family{"proxyd_access_denied_total", kCounter, "list", "Requests that an access list denied."},
    Family{"proxyd_rate_limit_total", kCounter, "limit,result", "Requests that a rate limit counted, by what it said."},
    Family{"proxyd_loop_total", kCounter, "", "Requests refused because they came back to us."},
    Family{"proxyd_proxy_proto_bad_total", kCounter, "", "Connections closed for a wrong PROXY header."},
    Family{"proxyd_tls_handshakes_total", kCounter, "result", "TLS handshakes of clients."},
    Family{"proxyd_tls_kernel_connections_total", kCounter, "result",
           "TLS connections given to the kernel for sending, refused by it, and cut because it can't change keys."},
    Family{"proxyd_timeout_total", kCounter, "phase", "Waits given up."},
    Family{"proxyd_access_log_dropped_total", kCounter, "", "Records lost because a log took no more."},
    Family{"proxyd_buffer_pool_hits_total", kCounter, "", "Buffers taken from the pool."},
    Family{"proxyd_buffer_pool_misses_total", kCounter, "", "Buffers taken from the heap."},
    Family{"proxyd_accept_errors_total", kCounter, "reason", "Connections that could not be accepted."},
    Family{"proxyd_tunnels", Kind::kGauge, "", "WebSocket tunnels open."},
    Family{"proxyd_tunnels_made_total", kCounter, "", "WebSocket tunnels made."},
    Family{"proxyd_unhandled_exceptions_total", kCounter, "", "Requests that ended in an exception."},
    Family{"proxyd_process_restarts_total", kCounter, "", "Workers started again after a death."},
    Family{"proxyd_db_errors_total", kCounter, "", "Errors of the database."},
    Family{"proxyd_config_applies_total", kCounter, "result", "Changes of the configuration."},
    Family{"proxyd_metrics_overflow_total", kCounter, "", "Counts of series for which there was no room."},
};

}   // namespace

std::span<const Family> catalog() { return kFamilies; }

}   // namespace proxyd::metrics
