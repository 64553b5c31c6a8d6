package main

// Since release 3.80 the engine tells a language host which plugin to run in the field `info` of RunPluginRequest (number 5), and what
// kind it is in `kind` (6); this host, the last whose source can be had as a Go module, reads `program` (2), finds it empty, and runs
// the project's own program as the plugin. Policy packs and components from a folder need the field, so it is read here, on the way
// in: protobuf keeps fields that it does not know. To be removed with the old host.

import (
	"path/filepath"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
)

const (
	infoField             = protowire.Number(5)
	kindField             = protowire.Number(6)
	programDirectoryField = protowire.Number(2)
	entryPointField       = protowire.Number(3)
)

func init() {
	streams := pulumirpc.LanguageRuntime_ServiceDesc.Streams
	for i := range streams {
		if streams[i].StreamName != "RunPlugin" {
			continue
		}
		serve := streams[i].Handler
		streams[i].Handler = func(host any, stream grpc.ServerStream) error {
			return serve(host, programReader{stream})
		}
	}
}

type programReader struct{ grpc.ServerStream }

func (reader programReader) RecvMsg(message any) error {
	if err := reader.ServerStream.RecvMsg(message); err != nil {
		return err
	}
	if request, ok := message.(*pulumirpc.RunPluginRequest); ok && request.Program == "" {
		nameProgram(request)
	}
	return nil
}

// The command line becomes `python PROGRAM ARGS`, for a policy pack `python -u -m pulumi.policy ENGINE PACK`, as newer hosts do it.
func nameProgram(request *pulumirpc.RunPluginRequest) {
	fields := texts(request.ProtoReflect().GetUnknown())
	info := texts([]byte(fields[infoField]))
	folder := info[programDirectoryField]
	if fields[kindField] == "analyzer" {
		request.Program = "-u"
		request.Args = append(append([]string{"-m", "pulumi.policy"}, request.Args...), folder)
		return
	}
	request.Program = filepath.Join(folder, info[entryPointField])
}

// texts returns the length-delimited fields of a message by their numbers.
func texts(message []byte) map[protowire.Number]string {
	found := map[protowire.Number]string{}
	for len(message) > 0 {
		number, kind, tagLength := protowire.ConsumeTag(message)
		if tagLength < 0 {
			return found
		}
		message = message[tagLength:]
		length := protowire.ConsumeFieldValue(number, kind, message)
		if length < 0 {
			return found
		}
		if value, valueLength := protowire.ConsumeBytes(message); kind == protowire.BytesType && valueLength > 0 {
			found[number] = string(value)
		}
		message = message[length:]
	}
	return found
}
