"""FastAPI on uvicorn: an `async def` endpoint with a pydantic body. `uvicorn fastapi_server:app`."""

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel
from tensorflow_call import load

app = FastAPI()
model = load()


class Question(BaseModel):
    instances: list[list[float]]


class Answer(BaseModel):
    predictions: list[list[float]]


@app.post("/v1/models/mnist:predict")
async def predict(question: Question) -> Answer:
    scores = model(np.array(question.instances, dtype=np.float32))
    return Answer(predictions=scores.tolist())
