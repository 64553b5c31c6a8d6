// Command pulumi-language-nodejs runs programs in TypeScript and JavaScript, and makes SDKs for them.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"toolchain/languages/host"
)

func main() {
	host.Serve(host.Language{
		Generate: generate,
		Link:     link,
		Install:  []string{"npm", "install", "--no-audit", "--no-fund", "--prefer-offline"},
		Program:  program,
	})
}

func generate(
	pkg *schema.Package, request *pulumirpc.GeneratePackageRequest, loader schema.ReferenceLoader,
) (map[string][]byte, error) {
	return nodejs.GeneratePackage(
		"pulumi-language-nodejs", pkg, request.ExtraFiles, request.LocalDependencies, request.Local, loader,
	)
}

func link(ctx context.Context, program, sdk string) (string, error) {
	content, err := os.ReadFile(filepath.Join(program, sdk, "package.json"))
	if err != nil {
		return "", err
	}
	var made struct{ Name string }
	if err := json.Unmarshal(content, &made); err != nil {
		return "", err
	}
	_, err = host.Do(ctx, program, "npm", "pkg", "set", "dependencies."+made.Name+"=file:"+filepath.ToSlash(sdk))
	return fmt.Sprintf("import * as sdk from %q;", made.Name), err
}

func program(ctx context.Context, request *pulumirpc.RunRequest, engine string) (*exec.Cmd, func(), error) {
	script, err := host.Do(ctx, request.Pwd, "node", "-p", "require.resolve('@pulumi/pulumi/cmd/run')")
	if err != nil {
		return nil, nil, fmt.Errorf("@pulumi/pulumi is not installed for the program: run `pulumi install` (%w)", err)
	}
	words := []string{
		script,
		"--monitor", request.MonitorAddress,
		"--engine", engine,
		"--organization", request.Organization,
		"--project", request.Project,
		"--stack", request.Stack,
		"--root-directory", request.Info.RootDirectory,
		"--pwd", request.Pwd,
		"--parallel", strconv.Itoa(int(request.Parallel)),
	}
	if request.DryRun {
		words = append(words, "--dry-run")
	}
	command := exec.CommandContext(ctx, "node", append(append(words, request.Info.EntryPoint), request.Args...)...)
	command.Env = append(os.Environ(), "PULUMI_NODEJS_TYPESCRIPT=true")
	return command, func() {}, nil
}
