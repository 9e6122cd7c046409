"""The live page's server: on this machine only, one run at a time, nothing from elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from reformsim.dashboard import form as forms
from reformsim.dashboard import views
from reformsim.dashboard.catalogue import Catalogue
from reformsim.dashboard.form import Fault, Form, Refused
from reformsim.dashboard.job import Job
from reformsim.experiment import plan
from reformsim.experiment.schema import Experiment
from reformsim.experiment.store import StoreError
from reformsim.report import data
from reformsim.report.brief import page
from reformsim.report.opened import open_results
from reformsim.report.sentences import Both

#: Names under which a browser may reach the page; another site's name that is made to point at
#: this machine is not among them.
HOSTS = ["127.0.0.1", "localhost"]

#: Seconds between looks at a job, and that a job has to end when the server does.
LOOK, PATIENCE = 0.25, 20.0

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; font-src data:; img-src data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

_BUSY = Fault(
    "",
    Both(
        "另一组正在运行；一次只运行一组。请等它结束，或先停止它。",
        "another bundle is being run, one at a time: let it end, or stop it first",
    ),
)


class Dashboard:
    """The pages and the one job."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Take what can be picked; no job is at work."""
        self.catalogue = catalogue
        self.job: Job | None = None

    def app(self) -> Starlette:
        """Return the application."""
        routes = [
            Route("/", self.form),
            Route("/form", self.change, methods=["POST"]),
            Route("/experiment.yaml", self.save, methods=["POST"]),
            Route("/runs", self.start, methods=["POST"]),
            Route("/runs/{name}", self.run),
            Route("/runs/{name}/events", self.events),
            Route("/runs/{name}/brief", self.brief),
            Route("/runs/{name}/experiment.yaml", self.saved),
            Route("/runs/{name}/stop", self.stop, methods=["POST"]),
            Route("/runs/{name}/go-on", self.go_on, methods=["POST"]),
            Route("/assets/{name}", asset),
            Route("/favicon.ico", nothing),
        ]
        return Starlette(
            routes=routes,
            middleware=[
                Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False),
                Middleware(BaseHTTPMiddleware, dispatch=guarded),
            ],
            exception_handlers={404: missing, StoreError: unreadable},
            lifespan=self.lifespan,
        )

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Stop the job with the server: what is finished is kept."""
        yield
        if self.job is not None:
            self.job.stop()
            await run_in_threadpool(self.job.wait, PATIENCE)

    async def form(self, request: Request) -> Response:
        """Show an empty form, or with ``?again=NAME`` the one that built a results directory."""
        found, again = self._new(), request.query_params.get("again", "")
        if again in self.catalogue.stored():
            experiment = self.catalogue.experiment(again)
            city = next(
                (k for k, c in self.catalogue.cities.items() if c == experiment.city),
                found.single["city"],
            )
            against = f"{again}/{experiment.baseline}"
            found = forms.of_experiment(experiment, found.single["name"], city, against)
        return self._form(found)

    async def change(self, request: Request) -> Response:
        """Show the form again: with another city, a stored bundle, a further step."""
        body = await request.body()
        found = Form.sent(body)
        action, _, what = field(body, "action").partition(":")
        known = self.catalogue.known()
        if action == "load" and (what := field(body, "load")) in known:
            found = found.loaded(known[what].change)
        elif action == "more":
            found.more(what)
        return self._form(found)

    async def save(self, request: Request) -> Response:
        """Send the experiment file that the form asks for."""
        found = Form.sent(await request.body())
        try:
            experiment = forms.read(found, self.catalogue, self.catalogue.known())
        except Refused as refused:
            return self._form(found, refused.faults)
        return yaml_file(experiment.name, data.yaml(plan.of(experiment).about))

    async def start(self, request: Request) -> Response:
        """Run what the form asks for, unless something else is being run."""
        found = Form.sent(await request.body())
        try:
            experiment = forms.read(found, self.catalogue, self.catalogue.known())
        except Refused as refused:
            return self._form(found, refused.faults)
        return self._begin(experiment) or self._form(found, [_BUSY], 409)

    async def run(self, request: Request) -> Response:
        """Show a run: as it goes, or what came out."""
        name, job = request.path_params["name"], self._job(request)
        if job is not None and job.state == "running":
            return HTMLResponse(await run_in_threadpool(views.watch_page, job))
        if job is not None and job.state == "failed":
            text = Both(f"运行未能进行：{job.message}", f"It could not be run: {job.message}")
            return HTMLResponse(views.message_page(Both("未能运行", "Not run"), text))
        directory = self._directory(name)
        try:
            opened = await run_in_threadpool(open_results, directory)
        except StoreError as error:
            text = Both(f"尚无结果：{error}", f"No results yet: {error}")
            return HTMLResponse(views.message_page(Both("尚无结果", "No results"), text, name))
        return HTMLResponse(
            await run_in_threadpool(views.results_page, opened, name, str(directory), job)
        )

    async def events(self, request: Request) -> Response:
        """Send how far the job is, whenever that has changed; the last word is how it ended."""
        job = self._job(request)
        if job is None:
            return Response(status_code=204)  # tells an EventSource not to come back

        async def told() -> AsyncIterator[str]:
            seen = -1
            while not await request.is_disconnected():
                now = job.snapshot()
                if now["version"] != seen:
                    seen = now["version"]
                    yield f"data: {views.as_json(now)}\n\n"
                if now["state"] != "running":
                    return
                await asyncio.sleep(LOOK)

        return StreamingResponse(told(), media_type="text/event-stream")

    async def brief(self, request: Request) -> Response:
        """Show the brief of a results directory, as `reformsim report` writes it."""
        directory = self._directory(request.path_params["name"])
        opened = await run_in_threadpool(open_results, directory)
        return HTMLResponse(await run_in_threadpool(page.write, opened, []))

    async def saved(self, request: Request) -> Response:
        """Send the experiment file of a results directory."""
        directory = self._directory(request.path_params["name"])
        experiment = self.catalogue.experiment(directory.name)
        return yaml_file(experiment.name, data.yaml(plan.of(experiment).about))

    async def stop(self, request: Request) -> Response:
        """Stop the job; what is finished is kept."""
        job = self._job(request)
        if job is not None:
            job.stop()
            await run_in_threadpool(job.wait, PATIENCE)
        return RedirectResponse(f"/runs/{request.path_params['name']}", 303)

    async def go_on(self, request: Request) -> Response:
        """Make the runs that a results directory lacks."""
        directory = self._directory(request.path_params["name"])
        experiment = self.catalogue.experiment(directory.name)
        return self._begin(experiment, directory) or RedirectResponse(f"/runs/{self._at}", 303)

    def _begin(self, experiment: Experiment, directory: Path | None = None) -> Response | None:
        """Start a job and lead to its page; None where another is at work."""
        if self.job is not None and self.job.state == "running":
            return None
        self.job = Job(experiment, directory or self.catalogue.results / experiment.name)
        self.job.start()
        return RedirectResponse(f"/runs/{self._at}", 303)

    @property
    def _at(self) -> str:
        return self.job.directory.name if self.job else ""

    def _job(self, request: Request) -> Job | None:
        return self.job if self._at == request.path_params["name"] else None

    def _directory(self, name: str) -> Path:
        """Return a results directory of the folder. Raises StoreError for any other name."""
        if name not in self.catalogue.stored():
            raise StoreError(f"{self.catalogue.results}: no results named {name!r}")
        return self.catalogue.results / name

    def _new(self) -> Form:
        taken = {path.name for path in self.catalogue.results.glob("*")}
        number = next(n for n in range(1, len(taken) + 2) if f"bundle_{n}" not in taken)
        return Form.new(f"bundle_{number}", next(iter(self.catalogue.cities)))

    def _form(self, found: Form, faults: list[Fault] | None = None, status: int = 0) -> Response:
        html = views.form_page(
            found, self.catalogue, self.catalogue.known(), self.job, faults
        )  # fmt: skip
        return HTMLResponse(html, status or (422 if faults else 200))


Next = Callable[[Request], Awaitable[Response]]


async def guarded(request: Request, call_next: Next) -> Response:
    """Refuse what another site's page sends; forbid every page to ask anything of elsewhere."""
    origin = request.headers.get("origin")
    if request.method == "POST" and origin not in (None, f"http://{request.headers['host']}"):
        return PlainTextResponse("sent by another site", 403)
    response = await call_next(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


async def asset(request: Request) -> Response:
    """Send a script or a style."""
    name = request.path_params["name"]
    if name not in views.ASSETS:
        return await missing(request, KeyError(name))
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    return Response(views.asset(name), media_type=kind)


async def nothing(request: Request) -> Response:
    """Send nothing: browsers ask for an icon."""
    return Response(status_code=204)


async def missing(request: Request, error: Exception) -> Response:
    """Say that there is no such page."""
    text = Both("没有这个页面。", "There is no such page.")
    return HTMLResponse(views.message_page(Both("没有这个页面", "No such page"), text), 404)


async def unreadable(request: Request, error: Exception) -> Response:
    """Say why results cannot be shown."""
    text = Both(f"无法读取：{error}", f"Cannot be read: {error}")
    return HTMLResponse(views.message_page(Both("无法读取结果", "Cannot be read"), text), 404)


def field(body: bytes, name: str) -> str:
    """Return the value of a field that a page sent, empty where there is none."""
    return parse_qs(body.decode("utf-8", "replace")).get(name, [""])[0]


def yaml_file(name: str, text: str) -> Response:
    """Return an experiment file for the browser to save."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.yaml"'}
    return Response(text, media_type="application/yaml", headers=headers)
