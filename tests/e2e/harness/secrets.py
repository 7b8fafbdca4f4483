"""What a node is given to keep to itself: keys, certificates, and the secret that webhooks are signed with."""

import hashlib
import hmac
import os
import subprocess
import time


def certificate(folder):
    """A self-signed certificate for this machine: the files of chain and key."""
    chain, key = os.path.join(folder, "chain.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", chain, "-days", "2", "-subj", "/CN=shop", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True, timeout=60)
    return chain, key


def tls_config(chain, key):
    return f'[http]\ntls_cert = "{chain}"\ntls_key = "{key}"\n'


def link_config(folder, name):
    """Of node 1 of the cluster, with what `cert init` and `cert node` made in the folder."""
    return (f'[cluster]\nname = "{name}"\nport = 0\nauthority = "{folder}/ca.crt"\n'
            f'certificate = "{folder}/node-1.crt"\nprivate_key = "{folder}/node-1.key"\n'
            '[payment]\nurl = "http://127.0.0.1:9"\n')


def secret_file(folder, secret):
    """A file with the secret, for its owner alone."""
    path = os.path.join(folder, "webhook.secret")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(secret + "\n")
    return path


def signed(raw, secret, at=None):
    """The fields of a webhook of these bytes."""
    at = int(time.time()) if at is None else at
    mac = hmac.new(secret.encode(), f"{at}.".encode() + raw, hashlib.sha256).hexdigest()
    return {"Omnicart-Signature": f"t={at},v1={mac}", "Content-Type": "application/json"}
