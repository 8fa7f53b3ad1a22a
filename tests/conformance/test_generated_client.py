"""A client that is generated from the OpenAPI document has every operation and every schema."""

import json
from pathlib import Path

import pytest
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

DOCUMENT = Path(__file__).parents[2] / "openapi.json"
METHODS = ("get", "post", "put", "delete")
# The generator has no bodies of CSV.
WITH_CSV_BODY = {"put_postal_codes"}
CSV_WARNING = "Unsupported content type text/csv"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a generated client; the fixture fails if a part of the document could not be read."""
    folder = tmp_path_factory.mktemp("generated") / "client"
    config = Config.from_sources(
        ConfigFile(post_hooks=[]),
        MetaType.NONE,
        document_source=DOCUMENT,
        file_encoding="utf-8",
        overwrite=True,
        output_path=folder,
    )
    warnings = [f"{each.header} {each.detail}" for each in generate(config=config)]
    assert [each for each in warnings if CSV_WARNING not in each] == []
    return folder


def test_it_has_every_operation(client: Path) -> None:
    documented = {
        item[method]["operationId"]
        for item in json.loads(DOCUMENT.read_bytes())["paths"].values()
        for method in METHODS
        if method in item
    }
    generated = [path.stem for path in client.glob("api/*/*.py") if path.stem != "__init__"]

    assert len(documented) > 80
    assert sorted(generated) == sorted(documented - WITH_CSV_BODY)


def test_it_has_every_schema(client: Path) -> None:
    schemas = json.loads(DOCUMENT.read_bytes())["components"]["schemas"]
    generated = {path.stem.replace("_", "") for path in client.glob("models/*.py")}

    assert {name.lower() for name in schemas} <= generated


def test_it_compiles(client: Path) -> None:
    for path in client.rglob("*.py"):
        compile(path.read_text(encoding="utf-8"), path.name, "exec")
