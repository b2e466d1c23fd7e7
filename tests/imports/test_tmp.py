import time, pytest
from tests.imports.door import Door
from tests.imports.pairs import agreed, line
from tests.imports.database import database
pytestmark = pytest.mark.django_db
@pytest.fixture(scope="module")
def world(database):
    d=Door()
    for n in range(3):
        t=time.perf_counter()
        s=d.send(*agreed(line(f"A{n}"),line(f"A{n}")))
        t1=time.perf_counter(); o=d.run(s); print(t1-t, time.perf_counter()-t1, o.status, o.message)
    return d
def test_y(world):
    print(world.claims())
def old(database):
    t=time.perf_counter(); d=Door(); print('door',time.perf_counter()-t)
    for n in range(3):
        t=time.perf_counter()
        s=d.send(*agreed(line(f"A{n}"),line(f"A{n}")))
        t1=time.perf_counter(); o=d.run(s); print(t1-t, time.perf_counter()-t1, o.status, o.message)
    print(d.claims())
