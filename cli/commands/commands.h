#pragma once

#include <CLI/CLI.hpp>

#include "cli/session.h"

// One function a noun: it adds the noun's verbs to the tree, each with a callback that runs it and leaves its exit code
// in `exit`. The tree also gives completions and the manual page.
namespace proxyd::cli {

void add_status(CLI::App& app, Session& session, Exit& exit);
void add_apply(CLI::App& app, Session& session, Exit& exit);
void add_config(CLI::App& app, Session& session, Exit& exit);   // diff, export, config …
void add_upstream(CLI::App& app, Session& session, Exit& exit);
void add_host(CLI::App& app, Session& session, Exit& exit);
void add_route(CLI::App& app, Session& session, Exit& exit);
void add_cache(CLI::App& app, Session& session, Exit& exit);
void add_explain(CLI::App& app, Session& session, Exit& exit);
void add_cert(CLI::App& app, Session& session, Exit& exit);
void add_worker(CLI::App& app, Session& session, Exit& exit);    // worker, reload, shutdown
void add_token(CLI::App& app, Session& session, Exit& exit);     // token, audit
void add_observe(CLI::App& app, Session& session, Exit& exit);   // metrics, events, logs
void add_ui(CLI::App& app, Session& session, Exit& exit);
void add_api(CLI::App& app, Session& session, Exit& exit);   // api, version
void add_completion(CLI::App& app, Exit& exit);
void add_manual(CLI::App& app, Exit& exit);

}   // namespace proxyd::cli
