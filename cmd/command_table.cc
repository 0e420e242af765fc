#include "cmd/command_table.h"

namespace cloister::cmd {
namespace {

constexpr Command kCommands[] = {
    {"pull", "Fetch an image into the local store",
     "cloister pull redis:7\n  cloister pull oci:./layout:v1\n"
     "  cloister pull docker-archive:saved.tar:redis:7\n  cloister pull docker-daemon:redis:7",
     add_pull},
    {"inspect", "Show an image's configuration, layers and, if enclave-ready, its measurement",
     "cloister inspect redis:7\n  cloister inspect redis:7 --format '{{.config.user}}'\n"
     "  cloister inspect reg.example/redis:7-sgx --format json\n"
     "  cloister inspect reg.example/redis:7-sgx --measurement --format marblerun --identity "
     "signer",
     add_inspect},
    {"files", "List every file of every layer",
     "cloister files redis:7 --merged\n  cloister files redis:7 --format json | jq "
     "'.files[].path'\n"
     "  cloister files redis:7 --merged --format '{{.mode}} {{.path}}'",
     add_files},
    {"deps", "Show what the program needs, and why",
     "cloister deps redis:7\n  cloister deps redis:7 /usr/bin/redis-cli --format list\n"
     "  cloister deps redis:7 --format spdx -o redis.spdx.json",
     add_deps},
    {"why", "Show why the program may open a file, or what it would take",
     "cloister why redis:7 /etc/ssl/openssl.cnf\n  cloister why redis:7 libssl.so.3 --all",
     add_why},
    {"manifest", "Print the Gramine manifest that a build would measure",
     "cloister manifest redis:7 > redis.manifest.sgx", add_manifest},
    {"audit", "Say what a reviewer must know of an image or manifest, and whether it passes",
     "cloister audit redis:7\n  cloister audit redis:7 --format html -o report.html\n"
     "  cloister audit redis:7 --manifest overlay.toml --policy policy.toml --report "
     "sarif=audit.sarif\n"
     "  cloister audit ./app.manifest --fix --fail-on critical",
     add_audit},
    {"diff", "Show what the new one may do that the old one may not",
     "cloister diff cloister.lock.json redis:7\n"
     "  cloister diff reg.example/redis:7-sgx reg.example/redis:8-sgx --format markdown\n"
     "  cloister diff ./old.manifest.sgx ./new.manifest.sgx",
     add_diff},
    {"init", "Write a commented cloister.toml for an image: what was found, what can be decided",
     "cloister init redis:7 -o cloister.toml\n"
     "  cloister init oci:./app:v1 --volume /data=encrypted > cloister.toml\n"
     "  cloister build -f cloister.toml --dry-run",
     add_init},
    {"build", "Turn an image into a signed, enclave-ready image",
     "cloister build redis:7 --dry-run\n"
     "  cloister build redis:7 --key enclave.pem -t reg.example/redis:7-sgx --push\n"
     "  cloister build oci:./app:v1 --key enclave.pem -o oci:./out:v1-sgx --with-direct\n"
     "  cloister build -f cloister.toml --key enclave.pem\n"
     "  cloister build redis:7 --tee nitro --kernel bzImage --init init --nsm nsm.ko -t "
     "reg.example/redis:7-nitro --push",
     add_build},
    {"rehearse", "Run an image with only what its manifest grants; report misses, sizes and costs",
     "cloister rehearse redis:7 -p 6379 --exec 'redis-cli ping' -o overlay.toml\n"
     "  cloister rehearse nginx:1.25 -p 8080:80 --http http://localhost:8080/ --requests 1000\n"
     "  cloister rehearse redis:7 --trust none --learn -p 6379 --exec 'redis-cli info' -o "
     "overlay.toml\n"
     "  cloister rehearse oci:./job:v1 --until-exit -- --input /data/in.csv",
     add_rehearse},
    {"rebuild", "Build an enclave-ready image again, as it was built, on what its base is now",
     "cloister rebuild reg.example/redis:7-sgx --dry-run\n"
     "  cloister rebuild reg.example/redis:7-sgx --key enclave.pem --isvsvn 4 -t "
     "reg.example/redis:7-sgx --push",
     add_rebuild},
    {"outdated", "Say whether base and runtime of an image are the newest; exit 3 if not",
     "cloister outdated reg.example/redis:7-sgx\n"
     "  cloister outdated cloister.lock.json --format json",
     add_outdated},
    {"learn", "Turn what a program was seen to do into a manifest overlay",
     "strace -f -y -s 4096 -o trace.log redis-server\n"
     "  cloister learn trace.log -o overlay.toml\n"
     "  cloister build redis:7 --manifest overlay.toml --dry-run\n"
     "  cloister learn gramine.log --image redis:7 --format text\n"
     "  docker logs enclave 2>&1 | cloister learn -",
     add_learn},
    {"deploy", "Print what runs an image, pinned by digest, with least rights",
     "cloister deploy docker reg.example/redis:7-sgx\n"
     "  cloister deploy compose reg.example/redis:7-sgx -o compose.yaml\n"
     "  cloister deploy kubernetes reg.example/redis:7-sgx --key image.pub | kubectl apply -f -\n"
     "  cloister deploy gcp reg.example/redis:7 -o ./gcp\n"
     "  cloister deploy azure reg.example/redis:7-sgx -o ./aks\n"
     "  cloister deploy azure reg.example/redis:7 --layer-hashes hashes.txt -o ./aci\n"
     "  cloister deploy aws reg.example/redis:7-nitro --role arn:aws:iam::111122223333:role/host "
     "-o ./aws",
     add_deploy},
    {"measure",
     "Compute what hardware will measure: of a Gramine manifest, a virtual machine, an enclave "
     "image",
     "cloister measure app.manifest.sgx --libpal /usr/lib/x86_64-linux-gnu/gramine/sgx/libpal.so\n"
     "  cloister measure app.manifest.sgx --runtime ./gramine --explain\n"
     "  cloister measure app.manifest.sgx --libpal libpal.so --key enclave.pem --date 2024-01-02 "
     "--sig app.sig\n"
     "  cloister measure --tee snp --firmware OVMF.amdsev.fd --kernel vmlinuz --initrd initrd.img "
     "--append 'console=ttyS0' --vcpus 1,2,4\n"
     "  cloister measure --tee snp --firmware OVMF.amdsev.fd --kernel vmlinuz --key id.pem "
     "--id-block id-block.b64 --id-auth id-auth.b64\n"
     "  cloister measure --tee nitro app.eif --explain\n"
     "  cloister measure --tee nitro app.eif --key eif.key --certificate eif.crt --signed "
     "signed.eif",
     add_measure},
    {"sign", "Sign an image, and attest what enclave is in it",
     "cloister sign reg.example/redis:7-sgx --key image.pem\n"
     "  cloister sign reg.example/redis:7-sgx --key 'pkcs11:token=prod;object=image'\n"
     "  cloister sign reg.example/redis:7-sgx --emit-signing-data data.json\n"
     "  cloister sign reg.example/redis:7-sgx --signature data.json --public-key image.pub\n"
     "  cosign verify --key image.pub --insecure-ignore-tlog=true reg.example/redis:7-sgx",
     add_sign},
    {"verify", "Check that an image is what its signer says",
     "cloister verify reg.example/redis:7-sgx --key image.pub\n"
     "  cloister verify reg.example/redis:7-sgx --key image.pub --min-isvsvn 3 --format json\n"
     "  cloister verify reg.example/redis:7-sgx --policy policy.toml --rebuild\n"
     "  cloister verify reg.example/redis:7-sgx --key image.pub --quote quote.bin "
     "--collateral ./collateral --report-data nonce:4f1c\n"
     "  cloister verify reg.example/redis:7-sgx --key image.pub --connect enclave.example:6379 "
     "--pccs https://localhost:8081",
     add_verify},
    {"quote", "Show a hardware quote, or verify that it is genuine",
     "cloister quote inspect quote.bin\n"
     "  cloister quote verify quote.bin --collateral ./collateral --report-data nonce:4f1c\n"
     "  cloister quote verify quote.bin --pccs https://localhost:8081 --allow-unbound "
     "--format json",
     add_quote},
    {"connect", "Forward local connections to a server that proves to be the signed image",
     "cloister connect reg.example/redis:7-sgx enclave.example:6379 --key image.pub "
     "--listen 127.0.0.1:6379 --pccs https://localhost:8081\n"
     "  cloister connect reg.example/redis:7-sgx enclave.example:6379 --policy policy.toml "
     "--collateral ./collateral --once",
     add_connect},
    {"attest", "Repeat the build of an image, and state that it gives the same",
     "cloister attest --rebuild reg.example/redis:7-sgx --sign-key rebuilder.pem", add_attest},
    {"marblerun", "Write what MarbleRun's Coordinator must know about images",
     "cloister marblerun manifest reg.example/redis:7-sgx -o manifest.json\n"
     "  cloister marblerun manifest cache=reg.example/redis:7-sgx web=reg.example/app:2-sgx "
     "--identity signer\n"
     "  cloister marblerun manifest reg.example/redis:8-sgx --update -o update.json",
     add_marblerun},
    {"push", "Copy an image, with what is attached to it, from one place to another",
     "cloister push oci:./out:v1-sgx reg.example/app:v1-sgx\n"
     "  cloister push reg.example/app:v1-sgx oci-archive:app.tar:v1-sgx\n"
     "  cloister push redis:7 docker-archive:redis.tar:redis:7 --platform linux/arm64",
     add_push},
    {"login", "Check credentials with a registry and keep them",
     "cloister login ghcr.io -u me\n"
     "  echo \"$TOKEN\" | cloister login ghcr.io -u me --password-stdin",
     add_login},
    {"logout", "Forget the credentials of a registry", "cloister logout ghcr.io", add_logout},
    {"cache", "Look after the local store",
     "cloister cache ls\n  cloister cache ls --format '{{.name}}\\t{{.bytes}}'\n  cloister cache "
     "prune --keep 5G\n  cloister cache verify --repair",
     add_cache},
    {"keygen", "Make a signing key",
     "cloister keygen sgx -o enclave.pem\n  cloister keygen image -o image.pem\n"
     "  cloister keygen snp -o id.pem",
     add_keygen},
    {"sigstruct", "Show the fields of a SIGSTRUCT and check its signature",
     "cloister sigstruct app.sig\n  cloister sigstruct app.sig --format json", add_sigstruct},
    {"completion", "Write what completes command lines of this program in a shell",
     "cloister completion bash > ~/.local/share/bash-completion/completions/cloister\n"
     "  cloister completion zsh > ~/.zfunc/_cloister\n"
     "  cloister completion fish > ~/.config/fish/completions/cloister.fish\n"
     "  cloister completion candidates -- build --trust=c",
     add_completion},
    {"version", "Show the version", "cloister version\n  cloister version --format '{{.version}}'",
     add_version},
};

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

}  // namespace cloister::cmd
