#pragma once

namespace proxyd::tls {

// From now on OpenSSL takes its memory from free lists, by size: a handshake makes 800 pieces, a record two of 17 KB,
// and each is soon needed again in the same size. Of what is free 4 MiB are kept at most, the rest goes back to the
// heap. One pool a thread. To be called once, before anything else of OpenSSL in the process; false: it was too late,
// and all goes on as before.
bool pool_openssl_memory();

}   // namespace proxyd::tls
