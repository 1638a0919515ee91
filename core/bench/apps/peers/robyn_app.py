import os

from robyn import Robyn

app = Robyn(__file__)


@app.get("/json")
async def json(request):
    return {"message": "Hello World"}


app.start(host="127.0.0.1", port=int(os.environ["PORT"]))
