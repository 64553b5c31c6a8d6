"""FastAPI and httpx as a proxy: one pooled client, bytes passed as they are. `uvicorn fastapi_proxy:app`."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request, Response


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with httpx.AsyncClient(base_url=os.environ["UPSTREAM_REST"]) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/v1/models/{path:path}")
async def forward(path: str, request: Request) -> Response:
    answer = await request.app.state.client.post(
        f"/v1/models/{path}", content=await request.body(), headers={"content-type": "application/json"}
    )
    return Response(answer.content, answer.status_code, media_type="application/json")
