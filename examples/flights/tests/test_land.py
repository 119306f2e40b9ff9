from datetime import date
from types import SimpleNamespace

from flights.land import write_landing


class Files(dict):
    """Stands in for dbutils.fs."""

    def put(self, path, content, overwrite):
        assert overwrite
        self[path] = content

    def rm(self, folder, recurse):
        for path in [path for path in self if path.startswith(folder + "/")]:
            del self[path]


def test_landing_again_leaves_the_same_files():
    files = Files()
    dbutils = SimpleNamespace(fs=files)
    files["dbfs:/l/landing_date=2013-01-02/left_over.csv"] = "x\n"
    first = write_landing(dbutils, "dbfs:/l", date(2013, 1, 2))
    before = dict(files)

    again = write_landing(dbutils, "dbfs:/l", date(2013, 1, 2))

    assert again == first == (6, 990)
    assert dict(files) == before
    assert "dbfs:/l/landing_date=2013-01-02/left_over.csv" not in files
