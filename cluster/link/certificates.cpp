#include "cluster/link/certificates.hpp"

#include <openssl/pem.h>
#include <openssl/rand.h>

#include <arpa/inet.h>
#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>

#include "cluster/link/certificate_end.hpp"
#include "cluster/link/hello.hpp"
#include "cluster/link/identity.hpp"
#include "cluster/link/openssl_ptr.hpp"
#include "cluster/link/private_file.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/system_ports.hpp"

namespace omnicart::cluster {
namespace {

constexpr int days_max = 36'500;
constexpr std::size_t hosts_max = 64;
constexpr long seconds_per_day = 86'400;
// A clock a little behind ours still takes a certificate made just now.
constexpr long backdated_seconds = 300;

tl::unexpected<error> openssl_failed(const char* what) {
  return fail(base_errc::io, std::string(what) + ": " + openssl_error());
}

bool add_extension(X509& to, X509& issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &to, nullptr, nullptr, 0);
  const extension_ptr made(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return made && X509_add_ext(&to, made.get(), -1) == 1;
}

bool set_serial(X509& to) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7F) | 0x40);  // positive, and of one length
  const bignum_ptr number(BN_bin2bn(bytes.data(), bytes.size(), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&to)) != nullptr;
}

// Version, serial, validity, subject and key; what issuer and extensions follow is the caller's.
certificate_ptr begin_certificate(EVP_PKEY& key, const std::string& name, int days) {
  certificate_ptr made(X509_new());
  if (!made || X509_set_version(made.get(), X509_VERSION_3) != 1 || !set_serial(*made))
    return nullptr;
  X509_NAME* const subject = X509_get_subject_name(made.get());
  const bool named = X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8,
                                                reinterpret_cast<const unsigned char*>("OmniCart"),
                                                -1, -1, 0) == 1 &&
                     X509_NAME_add_entry_by_txt(
                         subject, "CN", MBSTRING_UTF8,
                         reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0) == 1;
  const bool timed = X509_gmtime_adj(X509_getm_notBefore(made.get()), -backdated_seconds) &&
                     X509_gmtime_adj(X509_getm_notAfter(made.get()), days * seconds_per_day);
  return named && timed && X509_set_pubkey(made.get(), &key) == 1 ? std::move(made) : nullptr;
}

template <class Write>
std::string pem_text(Write write) {
  const bio_ptr memory(BIO_new(BIO_s_mem()));
  if (!memory || write(memory.get()) != 1) return {};
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string pem_of(X509& certificate) {
  return pem_text([&](BIO* out) { return PEM_write_bio_X509(out, &certificate); });
}

std::string pem_of(EVP_PKEY& key) {
  return pem_text([&](BIO* out) {
    return PEM_write_bio_PrivateKey(out, &key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

// The key first: a node that reloads in between finds a pair that does not match, and keeps what it
// has.
status write_pair(const std::string& certificate_path, X509& certificate,
                  const std::string& key_path, EVP_PKEY& key, existing_files on_existing) {
  if (on_existing == existing_files::keep && std::filesystem::exists(certificate_path)) {
    return fail(base_errc::precondition_failed, certificate_path + " is there already");
  }
  if (auto written = write_private_file(key_path, pem_of(key), on_existing); !written)
    return written;
  auto written = write_private_file(certificate_path, pem_of(certificate), on_existing);
  if (!written && on_existing == existing_files::keep) std::filesystem::remove(key_path);
  return written;
}

std::string random_cluster_id() {
  command_id number;
  RAND_bytes(reinterpret_cast<unsigned char*>(&number.high), sizeof number.high);
  RAND_bytes(reinterpret_cast<unsigned char*>(&number.low), sizeof number.low);
  return to_base32(number);
}

// As it stands in a subject alternative name; empty for what is no host.
std::string alternative_name(const std::string& host) {
  std::array<unsigned char, 16> address{};
  const bool is_address = inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
                          inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
  if (is_address) return "IP:" + host;
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
  };
  const bool is_name = !host.empty() && host.size() <= 253 && std::ranges::all_of(host, plain);
  return is_name ? "DNS:" + host : "";
}

result<std::string> alternative_names(const identity& who, const std::vector<std::string>& hosts) {
  std::string names = "URI:" + to_uri(who);
  if (hosts.size() > hosts_max) return fail(base_errc::malformed, "too many hosts");
  for (const auto& host : hosts) {
    const std::string name = alternative_name(host);
    if (name.empty())
      return fail(base_errc::malformed, "\"" + host + "\" is no host name and no address");
    names += "," + name;
  }
  return names;
}

struct authority {
  certificate_ptr certificate;
  key_ptr key;
  std::string cluster;
};

// One of the two files alone means that the other is kept elsewhere. A new authority would be
// trusted by no node.
status find_authority(const authority_files& files) {
  const bool has_certificate = std::filesystem::exists(files.certificate);
  const bool has_key = std::filesystem::exists(files.private_key);
  if (has_certificate && has_key) return {};
  if (has_certificate) {
    return fail(base_errc::not_found, files.private_key +
                                          " is not there: bring the cluster's ca.key from where "
                                          "it is kept");
  }
  if (has_key) {
    return fail(base_errc::not_found, files.certificate +
                                          " is not there: bring the cluster's ca.crt, which every "
                                          "one of its nodes has");
  }
  return fail(base_errc::not_found, files.certificate +
                                        " is not there: make the cluster's authority first "
                                        "(omnicartctl cert init DIR)");
}

result<authority> open_authority(const std::string& folder) {
  const authority_files files = authority_files_in(folder);
  if (auto whole = find_authority(files); !whole) return fail(std::move(whole.error()));
  authority found;
  const bio_ptr certificate(BIO_new_file(files.certificate.c_str(), "r"));
  if (certificate)
    found.certificate.reset(PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr));
  if (!found.certificate) return openssl_failed((files.certificate + " does not read").c_str());
  const bio_ptr key(BIO_new_file(files.private_key.c_str(), "r"));
  if (key) found.key.reset(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr));
  if (!found.key) return openssl_failed((files.private_key + " does not read").c_str());
  if (X509_check_private_key(found.certificate.get(), found.key.get()) != 1) {
    return openssl_failed("the authority's certificate and key are no pair");
  }
  const auto who = identity_of(*found.certificate);
  if (!who || who->node != no_node) {
    return fail(base_errc::io, files.certificate + " is no certificate of a cluster's authority");
  }
  found.cluster = who->cluster;
  return found;
}

// Nobody takes a certificate whose authority's has ended.
status check_end(int days, const X509& authority) {
  const timestamp_ms now = system_clock().wall(), last = end_of(authority);
  if (now + std::chrono::days(days) <= last) return {};
  const auto most = std::chrono::floor<std::chrono::days>(last - now).count();
  const std::string until = "the authority's own certificate ends on " + day_of(last);
  if (most < 1) return fail(base_errc::malformed, until + ": it signs no more");
  return fail(base_errc::malformed, until + ", " + std::to_string(days) +
                                        " days go beyond that: at most " + std::to_string(most));
}

status check_days(int days) {
  if (days < 1 || days > days_max)
    return fail(base_errc::malformed, "a certificate is good for 1 to 36500 days");
  return {};
}

}  // namespace

authority_files authority_files_in(const std::string& folder) {
  return {folder + "/ca.crt", folder + "/ca.key"};
}

node_files node_files_in(const std::string& folder, node_id node) {
  const std::string stem = folder + "/node-" + std::to_string(node);
  return {authority_files_in(folder).certificate, stem + ".crt", stem + ".key"};
}

result<std::string> make_authority(const std::string& folder, const authority_wish& wish) {
  const identity who{.cluster = wish.cluster.empty() ? random_cluster_id() : wish.cluster,
                     .node = no_node};
  if (!is_cluster_id(who.cluster)) {
    return fail(base_errc::malformed, "a cluster is named with 1 to 64 of a-z, 0-9 and -");
  }
  if (auto sound = check_days(wish.days); !sound) return fail(std::move(sound.error()));
  if (auto made = make_private_folder(folder); !made) return fail(std::move(made.error()));
  const key_ptr key(EVP_EC_gen("P-256"));
  if (!key) return openssl_failed("cannot make a key");
  const certificate_ptr made = begin_certificate(*key, "cluster " + who.cluster, wish.days);
  const bool whole =
      made && X509_set_issuer_name(made.get(), X509_get_subject_name(made.get())) == 1 &&
      add_extension(*made, *made, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      add_extension(*made, *made, NID_key_usage, "critical,keyCertSign,cRLSign") &&
      add_extension(*made, *made, NID_subject_key_identifier, "hash") &&
      add_extension(*made, *made, NID_subject_alt_name, "URI:" + to_uri(who)) &&
      X509_sign(made.get(), key.get(), EVP_sha256()) > 0;
  if (!whole) return openssl_failed("cannot make the authority's certificate");
  const authority_files files = authority_files_in(folder);
  auto written = write_pair(files.certificate, *made, files.private_key, *key, wish.on_existing);
  if (!written) return fail(std::move(written.error()));
  return who.cluster;
}

result<node_files> make_node(const std::string& folder, const node_wish& wish) {
  if (wish.node == no_node || wish.node > node_id_max) {
    return fail(base_errc::malformed,
                "nodes are numbered from 1 to " + std::to_string(node_id_max));
  }
  if (auto sound = check_days(wish.days); !sound) return fail(std::move(sound.error()));
  const auto by = open_authority(folder);
  if (!by) return fail(by.error());
  if (auto within = check_end(wish.days, *by->certificate); !within)
    return fail(std::move(within.error()));
  const identity who{.cluster = by->cluster, .node = wish.node};
  const auto names = alternative_names(who, wish.hosts);
  if (!names) return fail(names.error());
  const key_ptr key(EVP_EC_gen("P-256"));
  if (!key) return openssl_failed("cannot make a key");
  const certificate_ptr made =
      begin_certificate(*key, "node " + std::to_string(wish.node), wish.days);
  X509& issuer = *by->certificate;
  const bool whole = made &&
                     X509_set_issuer_name(made.get(), X509_get_subject_name(&issuer)) == 1 &&
                     add_extension(*made, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
                     add_extension(*made, issuer, NID_key_usage, "critical,digitalSignature") &&
                     add_extension(*made, issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
                     add_extension(*made, issuer, NID_subject_key_identifier, "hash") &&
                     add_extension(*made, issuer, NID_authority_key_identifier, "keyid:always") &&
                     add_extension(*made, issuer, NID_subject_alt_name, *names) &&
                     X509_sign(made.get(), by->key.get(), EVP_sha256()) > 0;
  if (!whole) return openssl_failed("cannot make the node's certificate");
  node_files files = node_files_in(folder, wish.node);
  auto written = write_pair(files.certificate, *made, files.private_key, *key, wish.on_existing);
  if (!written) return fail(std::move(written.error()));
  return files;
}

}  // namespace omnicart::cluster
