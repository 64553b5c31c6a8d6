// Package host is what a language host of Pulumi has to do in every language: answer the engine, make an SDK, link it, run a program.
//
// Pulumi's own hosts for Node and Go cannot be had as Go modules. These answer what a program that uses a package needs, by the engine's
// own protocol and with its own generators (pkg/v3/codegen), and nothing else: no policy packs or providers written in those languages,
// no debugger, no project converted from another language. A CLI of the user's own brings the whole ones.
package host

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

const engineCheckInterval = 5 * time.Minute

// Language is what the two hosts do not share.
type Language struct {
	// Generate makes the files of an SDK.
	Generate func(pkg *schema.Package, request *pulumirpc.GeneratePackageRequest, loader schema.ReferenceLoader) (map[string][]byte, error)
	// Link makes the program in a folder depend on the SDK at a path below it, and says how to import that.
	Link func(ctx context.Context, program, sdk string) (string, error)
	// Install is the command that fetches what the program depends on.
	Install []string
	// Program is the command that runs the program, and what to do after it.
	Program func(ctx context.Context, request *pulumirpc.RunRequest, engine string) (*exec.Cmd, func(), error)
}

type server struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	language Language
	engine   string
}

// Serve answers the engine, whose address is the last word of the command line, until it is gone.
func Serve(language Language) {
	if err := serve(language, os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(language Language, engine string) error {
	gone := make(chan bool)
	err := rpcutil.Healthcheck(context.Background(), engine, engineCheckInterval, func() { close(gone) })
	if err != nil {
		return err
	}
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: gone,
		Init: func(registrar *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(registrar, &server{language: language, engine: engine})
			return nil
		},
	})
	if err != nil {
		return err
	}
	fmt.Println(handle.Port)
	return <-handle.Done
}
