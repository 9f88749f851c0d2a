"""Everything stands in pyproject.toml but the packages, since applications/ is installed as
kerasseq.applications: each of its folders is found here, so that none can be forgotten.
"""

from setuptools import find_packages, setup

LIBRARY = find_packages(include=["kerasseq", "kerasseq.*"])
HEADS = [f"kerasseq.applications.{name}" for name in find_packages("applications")]

setup(
    packages=[*LIBRARY, "kerasseq.applications", *HEADS],
    package_dir={"kerasseq": "kerasseq", "kerasseq.applications": "applications"},
    include_package_data=False,  # or setuptools takes the folders of data for packages
    package_data={"kerasseq.applications": ["*/README.md", "*/configs/*.toml", "*/presets/*"]},
)
