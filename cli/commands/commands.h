#pragma once

#include <CLI/CLI.hpp>

#include "cli/rest/session.h"

// One function a noun: it adds the noun's verbs to the tree, each with a callback that runs it and leaves its exit code
// in `exit`. The tree also gives completions and the man page.
namespace proxyd::cli {

void add_status(CLI::App& app, Session& session, Exit& exit);
void add_config(CLI::App& app, Session& session, Exit& exit);      // apply, diff, export, config …
void add_upstream(CLI::App& app, Session& session, Exit& exit);
void add_route(CLI::App& app, Session& session, Exit& exit);       // route, host, explain
void add_worker(CLI::App& app, Session& session, Exit& exit);      // worker, reload, shutdown
void add_token(CLI::App& app, Session& session, Exit& exit);       // token, audit
void add_observe(CLI::App& app, Session& session, Exit& exit);     // metrics, events, logs
void add_shell(CLI::App& app, Session& session, Exit& exit);       // api, completion, man, version

}  // namespace proxyd::cli
