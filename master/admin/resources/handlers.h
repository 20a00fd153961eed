#pragma once

#include "master/admin/context.h"
#include "master/admin/exchange.h"

// One function a line of the route table, grouped by file. Any thread of the admin server; they answer, never throw.
namespace proxyd::admin {

// status.cpp
AdminAnswer get_livez(const AdminRequest&, Context&);
AdminAnswer get_readyz(const AdminRequest&, Context&);
AdminAnswer get_status(const AdminRequest&, Context&);
AdminAnswer get_open_api(const AdminRequest&, Context&);
AdminAnswer get_schema(const AdminRequest&, Context&);
AdminAnswer get_problem(const AdminRequest&, Context&);
AdminAnswer get_root(const AdminRequest&, Context&);

// life.cpp
AdminAnswer post_reload(const AdminRequest&, Context&);
AdminAnswer post_shutdown(const AdminRequest&, Context&);

// observe.cpp
AdminAnswer get_rejects(const AdminRequest&, Context&);
AdminAnswer patch_log_level(const AdminRequest&, Context&);

// sessions.cpp
AdminAnswer create_login_code(const AdminRequest&, Context&);
AdminAnswer create_session(const AdminRequest&, Context&);
AdminAnswer get_session(const AdminRequest&, Context&);
AdminAnswer delete_session(const AdminRequest&, Context&);

// operations.cpp
AdminAnswer list_operations(const AdminRequest&, Context&);
AdminAnswer get_operation(const AdminRequest&, Context&);
AdminAnswer cancel_operation(const AdminRequest&, Context&);

// metrics.cpp
AdminAnswer get_metrics(const AdminRequest&, Context&);

// config.cpp
AdminAnswer get_config(const AdminRequest&, Context&);
AdminAnswer put_config(const AdminRequest&, Context&);
AdminAnswer patch_config(const AdminRequest&, Context&);
AdminAnswer validate_config(const AdminRequest&, Context&);
AdminAnswer diff_config(const AdminRequest&, Context&);
AdminAnswer get_object(const AdminRequest&, Context&);
AdminAnswer put_object(const AdminRequest&, Context&);
AdminAnswer patch_object(const AdminRequest&, Context&);
AdminAnswer delete_object(const AdminRequest&, Context&);

// certificates.cpp
AdminAnswer list_certificates(const AdminRequest&, Context&);
AdminAnswer get_certificate(const AdminRequest&, Context&);
AdminAnswer put_certificate(const AdminRequest&, Context&);
AdminAnswer delete_certificate(const AdminRequest&, Context&);
AdminAnswer reload_certificate(const AdminRequest&, Context&);

// routes.cpp
AdminAnswer get_route(const AdminRequest&, Context&);
AdminAnswer put_route(const AdminRequest&, Context&);
AdminAnswer patch_route(const AdminRequest&, Context&);
AdminAnswer delete_route(const AdminRequest&, Context&);

// revisions.cpp
AdminAnswer list_revisions(const AdminRequest&, Context&);
AdminAnswer get_revision(const AdminRequest&, Context&);
AdminAnswer diff_revision(const AdminRequest&, Context&);
AdminAnswer activate_revision(const AdminRequest&, Context&);

// upstreams.cpp
AdminAnswer list_upstreams(const AdminRequest&, Context&);
AdminAnswer get_upstream(const AdminRequest&, Context&);
AdminAnswer get_target(const AdminRequest&, Context&);

// targets.cpp
AdminAnswer put_target(const AdminRequest&, Context&);
AdminAnswer patch_target(const AdminRequest&, Context&);

// target_removal.cpp
AdminAnswer delete_target(const AdminRequest&, Context&);

// target_set.cpp
AdminAnswer put_targets(const AdminRequest&, Context&);

// target_overrides.cpp
AdminAnswer drain_target(const AdminRequest&, Context&);
AdminAnswer maintain_target(const AdminRequest&, Context&);
AdminAnswer ready_target(const AdminRequest&, Context&);
AdminAnswer check_target(const AdminRequest&, Context&);
AdminAnswer weigh_target(const AdminRequest&, Context&);

// sites.cpp
AdminAnswer list_hosts(const AdminRequest&, Context&);
AdminAnswer get_host(const AdminRequest&, Context&);

// site_overrides.cpp
AdminAnswer maintain_host(const AdminRequest&, Context&);
AdminAnswer ready_host(const AdminRequest&, Context&);
AdminAnswer split_route(const AdminRequest&, Context&);

// workers.cpp
AdminAnswer list_workers(const AdminRequest&, Context&);
AdminAnswer restart_worker(const AdminRequest&, Context&);
AdminAnswer scale_workers(const AdminRequest&, Context&);

// explain.cpp
AdminAnswer post_explain(const AdminRequest&, Context&);

// cache.cpp
AdminAnswer get_cache(const AdminRequest&, Context&);
AdminAnswer list_cached(const AdminRequest&, Context&);
AdminAnswer look_up(const AdminRequest&, Context&);

// cache_purges.cpp
AdminAnswer create_purge(const AdminRequest&, Context&);
AdminAnswer list_purges(const AdminRequest&, Context&);

// tokens.cpp
AdminAnswer list_tokens(const AdminRequest&, Context&);
AdminAnswer create_token(const AdminRequest&, Context&);
AdminAnswer revoke_token(const AdminRequest&, Context&);
AdminAnswer list_audit(const AdminRequest&, Context&);

}   // namespace proxyd::admin
