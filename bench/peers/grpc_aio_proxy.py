"""grpc.aio in front of grpc.aio: one channel, messages passed as raw bytes, the cheapest that grpcio allows."""

import asyncio
import os

import grpc

SERVICE = "tensorflow.serving.PredictionService"


async def serve() -> None:
    async with grpc.aio.insecure_channel(os.environ["UPSTREAM_GRPC"]) as channel:
        forward = channel.unary_unary(f"/{SERVICE}/Predict")

        async def predict(message: bytes, _context: grpc.aio.ServicerContext) -> bytes:
            return await forward(message)

        server = grpc.aio.server()
        methods = {"Predict": grpc.unary_unary_rpc_method_handler(predict)}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
        server.add_insecure_port(f"127.0.0.1:{os.environ['PORT']}")
        await server.start()
        await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve())
