"""Which attributes each module of the standard takes over from the context, where they are known.

What stands in none of an object's modules is left out, unless it was set by
hand. Attributes that imgconv computes are not listed.

Source: PS3.3, the sections named beside each table.
"""

from __future__ import annotations

__all__ = [
    "CT",
    "EQUIPMENT",
    "GENERAL_IMAGE",
    "MR",
    "PATIENT",
    "PATIENT_STUDY",
    "PET",
    "SERIES",
    "STUDY",
    "VL",
    "words",
]


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text: a long table of names reads better so."""
    return tuple(text.split())


# C.7.1.1
PATIENT = words(
    """
    PatientName PatientID IssuerOfPatientID TypeOfPatientID PatientBirthDate PatientBirthTime
    PatientSex QualityControlSubject OtherPatientNames OtherPatientIDsSequence PatientComments
    PatientSpeciesDescription PatientSpeciesCodeSequence PatientBreedDescription
    PatientBreedCodeSequence BreedRegistrationSequence ResponsiblePerson ResponsiblePersonRole
    ResponsibleOrganization PatientIdentityRemoved DeidentificationMethod
    DeidentificationMethodCodeSequence EthnicGroupCodeSequence StrainDescription
    """
)

# C.7.2.1
STUDY = words(
    """
    StudyInstanceUID StudyDate StudyTime ReferringPhysicianName StudyID AccessionNumber
    IssuerOfAccessionNumberSequence StudyDescription ProcedureCodeSequence PhysiciansOfRecord
    NameOfPhysiciansReadingStudy ConsultingPhysicianName RequestingService
    """
)

# C.7.2.2
PATIENT_STUDY = words(
    """
    AdmittingDiagnosesDescription PatientAge PatientSize PatientWeight PatientBodyMassIndex
    MedicalAlerts Allergies SmokingStatus PregnancyStatus AdditionalPatientHistory AdmissionID
    PatientSexNeutered PatientState ReasonForVisit
    """
)

# C.7.3.1
SERIES = words(
    """
    Modality SeriesInstanceUID SeriesNumber SeriesDescription SeriesDate SeriesTime Laterality
    BodyPartExamined ProtocolName PatientPosition OperatorsName PerformingPhysicianName
    PerformedProcedureStepID PerformedProcedureStepStartDate PerformedProcedureStepStartTime
    PerformedProcedureStepDescription RequestAttributesSequence AnatomicalOrientationType
    """
)

# C.7.5.1
EQUIPMENT = words(
    """
    Manufacturer ManufacturerModelName DeviceSerialNumber SoftwareVersions InstitutionName
    InstitutionAddress InstitutionalDepartmentName StationName DateOfLastCalibration
    TimeOfLastCalibration
    """
)

# C.7.6.1, C.7.10.1
GENERAL_IMAGE = words(
    """
    AcquisitionDate AcquisitionTime AcquisitionDateTime AcquisitionNumber ImageComments
    AnatomicRegionSequence PrimaryAnatomicStructureSequence DerivationDescription WindowCenter
    WindowWidth WindowCenterWidthExplanation VOILUTFunction BurnedInAnnotation
    RecognizableVisualFeatures ContrastBolusAgent
    """
)

# C.8.3.1; AcquisitionMatrix and InPlanePhaseEncodingDirection depend on the grid
MR = words(
    """
    ScanningSequence SequenceVariant ScanOptions MRAcquisitionType SequenceName AngioFlag
    RepetitionTime EchoTime InversionTime NumberOfAverages ImagingFrequency ImagedNucleus
    EchoNumbers MagneticFieldStrength NumberOfPhaseEncodingSteps EchoTrainLength PercentSampling
    PercentPhaseFieldOfView PixelBandwidth TriggerTime NominalInterval HeartRate
    CardiacNumberOfImages ReconstructionDiameter ReceiveCoilName TransmitCoilName
    InPlanePhaseEncodingDirection FlipAngle VariableFlipAngleFlag SAR dBdt TemporalResolution
    """
)

# C.8.2.1
CT = words(
    """
    ScanOptions KVP DataCollectionDiameter ReconstructionDiameter DistanceSourceToDetector
    DistanceSourceToPatient GantryDetectorTilt TableHeight RotationDirection ExposureTime
    XRayTubeCurrent Exposure ExposureInuAs FilterType GeneratorPower FocalSpots ConvolutionKernel
    RevolutionTime SingleCollimationWidth TotalCollimationWidth TableSpeed TableFeedPerRotation
    SpiralPitchFactor ExposureModulationType CTDIvol
    """
)

# C.8.9.1, C.8.9.2, C.8.9.4
PET = words(
    """
    CollimatorType CorrectedImage Units CountsSource DecayCorrection RandomsCorrectionMethod
    AttenuationCorrectionMethod ScatterCorrectionMethod ReconstructionMethod ReconstructionDiameter
    DetectorLinesOfResponseUsed ConvolutionKernel SUVType AxialAcceptance CoincidenceWindowWidth
    AcquisitionStartCondition AcquisitionTerminationCondition FieldOfViewShape
    FieldOfViewDimensions GantryDetectorTilt RadiopharmaceuticalInformationSequence
    PatientOrientationCodeSequence PatientGantryRelationshipCodeSequence FrameReferenceTime
    ActualFrameDuration DecayFactor DoseCalibrationFactor ScatterFractionFactor
    SliceSensitivityFactor
    """
)

# C.8.12.1, C.8.12.5 (EXIF)
VL = words(
    """
    ImagerPixelSpacing ImageLaterality AnatomicRegionSequence ExposureTimeInSeconds FNumber
    ExposureProgram PhotographicSensitivity SensitivityType EXIFVersion ShutterSpeedValue
    ApertureValue BrightnessValue ExposureBiasValue MaxApertureValue SubjectDistance MeteringMode
    LightSource FocalLength FlashFiringStatus SensingMethod FocalLengthIn35mmFilm SceneCaptureType
    ExposureMode WhiteBalance DigitalZoomRatio
    """
)
