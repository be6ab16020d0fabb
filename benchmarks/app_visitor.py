"""A visitor of the app without a browser: speaks to its server as Streamlit's page does, over HTTP and a WebSocket."""

from __future__ import annotations

import http.client
import secrets
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

WAIT_S = 600.0


class Visitor:
    """One sitting: a page that is open.

    Attributes:
        elements: of the page as it is, in their order.
    """

    def __init__(self, address: str) -> None:
        """Open the page; it is complete when this returns."""
        from websockets.sync.client import connect

        self._host, self._path = urlsplit(address).netloc, urlsplit(address).path
        self._cookies: dict[str, str] = {}
        self._states: dict[str, Any] = {}
        self._session = ""
        self.elements: list[Any] = []
        self.get(self._path)
        self.get(f"{self._path}_stcore/health")
        self._socket = connect(
            f"ws://{self._host}{self._path}_stcore/stream",
            origin=f"http://{self._host}",  # type: ignore[arg-type]
            subprotocols=["streamlit", self._cookies.get("_streamlit_xsrf", "")],  # type: ignore[list-item]
            additional_headers={"Cookie": self._cookie()},
            max_size=None,
            open_timeout=WAIT_S,
        )
        self.run()

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    def find(self, kind: str, label: str = "") -> Any:
        """The first element of a kind, such as "slider", whose label begins so."""
        return next(one for one in self.all(kind) if getattr(one, "label", "").startswith(label))

    def all(self, kind: str) -> list[Any]:
        """The elements of a kind."""
        return [getattr(one, kind) for one in self.elements if one.WhichOneof("type") == kind]

    def choose(self, element: Any, *words: str) -> None:
        """Choose options of a group of buttons, and wait for the page."""
        state = self._state(element.id)
        state.string_array_value.data.extend(words)
        self.run()

    def slide(self, element: Any, value: float) -> None:
        """Move a slider, and wait for the page."""
        state = self._state(element.id)
        state.double_array_value.data.append(value)
        self.run()

    def upload(self, element: Any, name: str, data: bytes) -> None:
        """Bring a file, and wait for the page."""
        from streamlit.proto.BackMsg_pb2 import BackMsg

        message: Any = BackMsg()
        message.file_urls_request.request_id = secrets.token_hex(8)
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self._session
        self._socket.send(message.SerializeToString())
        while (answer := self._receive()).WhichOneof("type") != "file_urls_response":
            pass
        (urls,) = answer.file_urls_response.file_urls
        mark = secrets.token_hex(16)
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        form = head.encode() + data + f"\r\n--{mark}--\r\n".encode()
        status, answered = self._request(
            "PUT", urls.upload_url, form,
            {"Content-Type": f"multipart/form-data; boundary={mark}", "X-Xsrftoken": self._cookies["_streamlit_xsrf"]},
        )  # fmt: skip
        assert status in (200, 204), f"upload: {status} {answered[:200]}"
        state = self._state(element.id).file_uploader_state_value
        state.uploaded_file_info.add(name=name, size=len(data), file_id=urls.file_id).file_urls.CopyFrom(urls)
        self.run()

    def get(self, path: str) -> bytes:
        """What lies at a path."""
        status, body = self._request("GET", path)
        assert status == 200, f"{path}: {status}"
        return body

    def run(self) -> None:
        """Have the page made, and wait until it is complete."""
        from streamlit.proto.BackMsg_pb2 import BackMsg

        message: Any = BackMsg()
        message.rerun_script.widget_states.widgets.extend(self._states.values())
        self._socket.send(message.SerializeToString())
        found: list[Any] = []
        while True:
            answer = self._receive()
            kind = answer.WhichOneof("type")
            if kind == "new_session":
                self._session, found = answer.new_session.initialize.session_id, []
            elif kind == "delta" and answer.delta.WhichOneof("type") == "new_element":
                found.append(answer.delta.new_element)
            elif kind == "script_finished" and answer.script_finished == 0:
                self.elements = found
                return

    def _state(self, name: str) -> Any:
        from streamlit.proto.WidgetStates_pb2 import WidgetState

        self._states[name] = WidgetState(id=name)
        return self._states[name]

    def _receive(self) -> Any:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        message: Any = ForwardMsg()
        message.ParseFromString(self._socket.recv(timeout=WAIT_S))
        return message

    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._host, timeout=WAIT_S)
        try:
            connection.request(
                method, path, body, {"Cookie": self._cookie(), "Accept": "text/html,*/*", **(headers or {})}
            )
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    self._cookies |= {key: one.value for key, one in SimpleCookie(value).items()}
            return answer.status, answer.read()
        finally:
            connection.close()
