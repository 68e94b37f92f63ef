"""The application."""

from fastapi import FastAPI

app = FastAPI(title="Tidewater")


@app.get("/health")
def health() -> dict[str, str]:
    """Answer while the process lives."""
    return {"status": "ok"}


@app.get("/berths")
def berths() -> list[str]:
    """Every berth by its name."""
    return ["north", "south"]
