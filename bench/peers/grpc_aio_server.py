"""grpc.aio as its tutorial and TensorFlow's documentation write it: `make_ndarray`, the model, `make_tensor_proto`."""

import asyncio
import os

import grpc
import tensorflow as tf
from tensorflow_call import load
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self) -> None:
        self._model = load()

    async def Predict(  # noqa: N802 - the service's name for it
        self, request: predict_pb2.PredictRequest, _context: grpc.aio.ServicerContext
    ) -> predict_pb2.PredictResponse:
        (images,) = (tf.make_ndarray(tensor) for tensor in request.inputs.values())
        response = predict_pb2.PredictResponse(model_spec=request.model_spec)
        response.outputs["scores"].CopyFrom(tf.make_tensor_proto(self._model(images)))
        return response


async def serve() -> None:
    server = grpc.aio.server()
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(PredictionService(), server)
    server.add_insecure_port(f"127.0.0.1:{os.environ['PORT']}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve())
