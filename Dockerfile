# Airflow's own image, the committed lock, and the checkout as an editable install: reference files and expectations are
# read from where they stand in the checkout.
FROM apache/airflow:3.3.2-python3.12

USER root
# A named volume takes owner and mode from this directory; group 0 because compose may run any user id.
RUN install -d -o airflow -g 0 -m 0770 /opt/tthc /var/lib/tthc
USER airflow

WORKDIR /opt/tthc
COPY --chown=airflow:0 requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY --chown=airflow:0 . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e . \
    && python -c "import tthc, tthc_airflow, psycopg, great_expectations"

ENV AIRFLOW__CORE__DAGS_FOLDER=/opt/tthc/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/tthc/plugins \
    GX_ANALYTICS_ENABLED=false \
    TTHC_HOME=/var/lib/tthc
