package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

// devicePlugin advertises stand-in devices to the kubelet, so that GPU scheduling on a machine
// without GPUs is decided by the real scheduler and the real device manager. It hands nothing to
// the container but the environment variable that NVIDIA's plugin sets.
//
// Protocol: k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1. The kubelet wipes its plugin folder when
// it starts; the plugin notices that its socket is gone and registers again.
type devicePlugin struct {
	api.UnimplementedDevicePluginServer
	devices []*api.Device
	stopped chan struct{}
}

func newDevicePluginCommand() *cobra.Command {
	var resource, folder string
	var count int
	command := &cobra.Command{
		Use:   "device-plugin",
		Short: "Advertise stand-in devices through the kubelet's device plugin API.",
		RunE: func(*cobra.Command, []string) error {
			return serveUntilSignal(resource, folder, count)
		},
		SilenceUsage: true,
	}
	command.Flags().StringVar(&resource, "resource", "nvidia.com/gpu", "extended resource to advertise")
	command.Flags().StringVar(&folder, "plugin-dir", api.DevicePluginPath, "the kubelet's device plugin folder")
	command.Flags().IntVar(&count, "count", 1, "number of devices")
	return command
}

func serveUntilSignal(resource, folder string, count int) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	for {
		plugin := &devicePlugin{devices: healthyDevices(count), stopped: make(chan struct{})}
		socket := filepath.Join(folder, "tf-serving-platform-gpu.sock")
		server, err := plugin.listen(socket)
		if err == nil {
			err = register(folder, filepath.Base(socket), resource)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "device-plugin: kubelet not reached yet:", err)
		}
		again := err != nil || waitUntilGone(socket, signals)
		close(plugin.stopped)
		if server != nil {
			server.Stop()
		}
		if !again {
			return nil
		}
		select {
		case <-signals:
			return nil
		case <-time.After(time.Second):
		}
	}
}

func healthyDevices(count int) []*api.Device {
	devices := make([]*api.Device, count)
	for i := range devices {
		devices[i] = &api.Device{ID: fmt.Sprintf("stand-in-%d", i), Health: api.Healthy}
	}
	return devices
}

func (p *devicePlugin) listen(socket string) (*grpc.Server, error) {
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	server := grpc.NewServer()
	api.RegisterDevicePluginServer(server, p)
	go func() { _ = server.Serve(listener) }()
	return server, nil
}

func register(folder, endpoint, resource string) error {
	connection, err := grpc.NewClient("unix://"+filepath.Join(folder, "kubelet.sock"),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err = api.NewRegistrationClient(connection).Register(ctx, &api.RegisterRequest{
		Version: api.Version, Endpoint: endpoint, ResourceName: resource,
	})
	return err
}

// waitUntilGone returns true when the kubelet removed the socket (it restarted), false on a signal.
func waitUntilGone(socket string, signals <-chan os.Signal) bool {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-signals:
			return false
		case <-ticker.C:
			if _, err := os.Stat(socket); err != nil {
				return true
			}
		}
	}
}

func (p *devicePlugin) GetDevicePluginOptions(context.Context, *api.Empty) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{}, nil
}

func (p *devicePlugin) ListAndWatch(_ *api.Empty, stream api.DevicePlugin_ListAndWatchServer) error {
	if err := stream.Send(&api.ListAndWatchResponse{Devices: p.devices}); err != nil {
		return err
	}
	select {
	case <-p.stopped:
	case <-stream.Context().Done():
	}
	return nil
}

func (p *devicePlugin) Allocate(_ context.Context, request *api.AllocateRequest) (*api.AllocateResponse, error) {
	response := &api.AllocateResponse{}
	for range request.ContainerRequests {
		response.ContainerResponses = append(response.ContainerResponses, &api.ContainerAllocateResponse{
			Envs: map[string]string{"NVIDIA_VISIBLE_DEVICES": "void"},
		})
	}
	return response, nil
}
