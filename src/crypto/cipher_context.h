// A cipher context of OpenSSL that is freed, and so wiped, when it goes.
#pragma once

#include <memory>

struct evp_cipher_ctx_st;  // EVP_CIPHER_CTX of OpenSSL

namespace hbk::crypto {

struct FreeCipherContext {
  void operator()(evp_cipher_ctx_st* context) const;
};
using CipherContext = std::unique_ptr<evp_cipher_ctx_st, FreeCipherContext>;

}  // namespace hbk::crypto
