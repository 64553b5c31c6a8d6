module toolchain/yaml

go 1.26

require github.com/pulumi/pulumi-yaml v1.9.2
