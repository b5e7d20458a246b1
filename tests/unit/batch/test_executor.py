from tests.unit.batch.batch_jobs import make_jobs, misbehave

from imgconv.batch.executor import InProcess


def test_in_process_runs_one_job_at_a_time(tmp_path):
    (job,) = make_jobs(tmp_path, [None])
    executor = InProcess(misbehave, digests=False)
    assert executor.room == 1
    executor.submit(7, job)
    assert executor.room == 0
    assert not job.outputs[0].exists()
    ((number, made),) = executor.wait(None)
    assert (number, made.error) == (7, None)
    assert job.outputs[0].exists()
    assert executor.wait(0) == []
    executor.close()
