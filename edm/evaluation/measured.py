"""What guidance gains and costs: fidelity, diversity and distance over its weight, and over intervals of σ.

The networks are `digits_edm` and, with one kind and fewer samples, `scenes_edm`; EDM's sampler takes 12 steps, and all
settings have the same latents and classes. Guidance raises precision and the inception score and lowers recall, the
more the larger w, until samples leave the data. The distance has no dip where classifier-free guidance is weak: it only
rises. Autoguidance by a checkpoint that is little worse comes nearer to the data than none does: from the same latents
by more than chance, though it is the best of so many settings, and not outside of the intervals that each number has by
itself (which are wide: from one set of images to the next the spread is about 0.7 of what they say). Guidance at low
noise levels alone does no harm. APG is like classifier-free guidance here. CFG++ with Heun's steps has w = λσ/(σ − σ⁺),
which a small λ makes less than 1 where steps are long: it is towards no class at λ = 0, and like no guidance at ⅔. On
scenes, too, the distance only rises.

    python -m tests.trials guidance

digits_edm
guidance                                 w  NFE     Fréchet distance            precision               recall
inception score
none                                     1   23  0.222 (0.124–0.320)  0.766 (0.754–0.779)  0.939 (0.920–0.958)  7.126
(7.046–7.206)
classifier-free                       1.25   46  0.238 (0.113–0.363)  0.820 (0.803–0.837)  0.910 (0.881–0.939)  7.846
(7.781–7.912)
classifier-free                        1.5   46  0.382 (0.224–0.541)  0.850 (0.834–0.866)  0.865 (0.837–0.893)  8.226
(8.158–8.294)
classifier-free                          2   46  0.759 (0.551–0.967)  0.889 (0.877–0.902)  0.775 (0.732–0.817)  8.592
(8.538–8.646)
classifier-free                          3   46  1.464 (1.191–1.736)  0.903 (0.886–0.919)  0.612 (0.550–0.673)  8.807
(8.766–8.849)
classifier                            0.25   46  0.208 (0.094–0.322)  0.795 (0.777–0.812)  0.925 (0.900–0.950)  7.512
(7.442–7.582)
classifier                             0.5   46  0.248 (0.118–0.378)  0.816 (0.798–0.834)  0.911 (0.882–0.940)  7.747
(7.672–7.821)
classifier                               1   46  0.370 (0.216–0.524)  0.844 (0.827–0.860)  0.875 (0.849–0.901)  8.029
(7.960–8.099)
classifier                               2   46  0.641 (0.458–0.824)  0.860 (0.843–0.877)  0.819 (0.792–0.845)  8.294
(8.240–8.349)
autoguidance by digits_edm_005k       1.25   46  0.302 (0.163–0.442)  0.878 (0.860–0.896)  0.875 (0.840–0.910)  7.863
(7.800–7.927)
autoguidance by digits_edm_005k        1.5   46  0.567 (0.393–0.741)  0.917 (0.901–0.933)  0.775 (0.724–0.825)  8.258
(8.196–8.319)
autoguidance by digits_edm_005k          2   46  1.015 (0.807–1.223)  0.944 (0.932–0.955)  0.622 (0.580–0.665)  8.438
(8.378–8.499)
autoguidance by digits_edm_005k          3   46  2.322 (2.007–2.636)  0.652 (0.632–0.671)  0.475 (0.416–0.535)  7.155
(7.063–7.247)
autoguidance by digits_edm_020k       1.25   46  0.184 (0.088–0.281)  0.806 (0.792–0.820)  0.925 (0.900–0.950)  7.400
(7.330–7.469)
autoguidance by digits_edm_020k        1.5   46  0.187 (0.090–0.285)  0.836 (0.818–0.854)  0.909 (0.884–0.933)  7.577
(7.511–7.644)
autoguidance by digits_edm_020k          2   46  0.274 (0.158–0.390)  0.874 (0.854–0.894)  0.868 (0.842–0.895)  7.758
(7.676–7.841)
autoguidance by digits_edm_020k          3   46  0.606 (0.423–0.789)  0.856 (0.840–0.873)  0.814 (0.783–0.846)  7.699
(7.609–7.789)
autoguidance by digits_edm_040k       1.25   46  0.197 (0.101–0.293)  0.789 (0.773–0.804)  0.930 (0.909–0.952)  7.294
(7.221–7.368)
autoguidance by digits_edm_040k        1.5   46  0.197 (0.098–0.295)  0.814 (0.801–0.827)  0.929 (0.903–0.956)  7.406
(7.338–7.474)
autoguidance by digits_edm_040k          2   46  0.253 (0.142–0.365)  0.848 (0.834–0.863)  0.915 (0.886–0.943)  7.523
(7.441–7.605)
autoguidance by digits_edm_040k          3   46  0.544 (0.401–0.687)  0.856 (0.840–0.872)  0.888 (0.841–0.935)  7.496
(7.404–7.588)
classifier-free, σ > 0.3                 2   39  0.712 (0.513–0.912)  0.888 (0.873–0.903)  0.784 (0.738–0.829)  8.547
(8.491–8.603)
classifier-free, σ ≤ 0.3                 2   30  0.210 (0.107–0.313)  0.774 (0.759–0.789)  0.934 (0.915–0.953)  7.278
(7.201–7.356)
classifier-free, σ > 1                   2   37  0.602 (0.423–0.780)  0.869 (0.855–0.882)  0.812 (0.778–0.846)  8.419
(8.355–8.482)
classifier-free, σ ≤ 1                   2   32  0.227 (0.103–0.350)  0.805 (0.788–0.823)  0.923 (0.901–0.944)  7.676
(7.611–7.740)
classifier-free, σ > 3                   2   35  0.452 (0.296–0.608)  0.852 (0.836–0.868)  0.851 (0.814–0.888)  8.209
(8.135–8.282)
classifier-free, σ ≤ 3                   2   34  0.340 (0.172–0.508)  0.828 (0.813–0.843)  0.879 (0.849–0.910)  8.096
(8.037–8.156)
APG                                   1.25   46  0.236 (0.110–0.361)  0.811 (0.794–0.828)  0.916 (0.888–0.944)  7.824
(7.759–7.890)
APG                                    1.5   46  0.377 (0.216–0.539)  0.842 (0.826–0.857)  0.869 (0.838–0.901)  8.209
(8.140–8.278)
APG                                      2   46  0.767 (0.553–0.982)  0.885 (0.871–0.899)  0.780 (0.732–0.829)  8.579
(8.525–8.633)
APG                                      3   46  1.514 (1.229–1.800)  0.895 (0.880–0.909)  0.624 (0.556–0.691)  8.793
(8.750–8.836)
CFG++                                    0   23  1.423 (1.167–1.680)  0.555 (0.532–0.577)  0.932 (0.907–0.957)  4.856
(4.703–5.008)
CFG++                            0.0833333   46  1.486 (1.264–1.707)  0.523 (0.503–0.544)  0.935 (0.913–0.957)  4.678
(4.569–4.786)
CFG++                             0.166667   46  1.578 (1.399–1.756)  0.492 (0.468–0.516)  0.945 (0.913–0.977)  4.504
(4.403–4.605)
CFG++                             0.333333   46  1.129 (0.983–1.275)  0.543 (0.518–0.567)  0.950 (0.927–0.973)  4.829
(4.722–4.937)
CFG++                             0.666667   46  0.222 (0.105–0.339)  0.802 (0.784–0.820)  0.913 (0.882–0.944)  7.638
(7.574–7.702)

2000 samples against 1797 of digits, N = 12, Fréchet distance in digits classifier (64 features), of as many true
samples 0.126. In parentheses 95 % intervals, by the jackknife over groups of the samples; all weights have the same
latents and classes.

classifier-free: 0.238 at w = 1.25, no difference beyond chance (−0.042 … +0.074 from the same latents)
classifier: 0.208 at w = 0.25, no difference beyond chance (−0.049 … +0.021 from the same latents)
autoguidance by digits_edm_005k: 0.302 at w = 1.25, more (+0.014 … +0.146 from the same latents)
autoguidance by digits_edm_020k: 0.184 at w = 1.25, less, though the two intervals overlap (−0.063 … −0.012 from the
same latents)
autoguidance by digits_edm_040k: 0.197 at w = 1.5, no difference beyond chance (−0.069 … +0.018 from the same latents)
classifier-free, σ > 0.3: 0.712 at w = 2, more (+0.340 … +0.641 from the same latents)
classifier-free, σ ≤ 0.3: 0.210 at w = 2, no difference beyond chance (−0.028 … +0.003 from the same latents)
classifier-free, σ > 1: 0.602 at w = 2, more (+0.251 … +0.508 from the same latents)
classifier-free, σ ≤ 1: 0.227 at w = 2, no difference beyond chance (−0.055 … +0.064 from the same latents)
classifier-free, σ > 3: 0.452 at w = 2, more (+0.127 … +0.332 from the same latents)
classifier-free, σ ≤ 3: 0.340 at w = 2, no difference beyond chance (−0.002 … +0.238 from the same latents)
APG: 0.236 at w = 1.25, no difference beyond chance (−0.045 … +0.073 from the same latents)
CFG++: 0.222 at w = 0.666667, no difference beyond chance (−0.044 … +0.044 from the same latents)

scenes_edm
guidance           w  NFE     Fréchet distance            precision               recall      inception score
none               1   23  1.511 (1.126–1.896)  0.820 (0.786–0.854)  0.938 (0.897–0.979)  3.738 (3.637–3.840)
classifier-free  1.5   46  1.643 (1.273–2.014)  0.884 (0.860–0.908)  0.910 (0.853–0.967)  4.458 (4.382–4.534)
classifier-free    2   46  2.315 (1.908–2.722)  0.902 (0.877–0.927)  0.846 (0.785–0.907)  4.769 (4.712–4.827)
classifier-free    3   46  4.100 (3.570–4.629)  0.870 (0.843–0.897)  0.768 (0.711–0.825)  4.988 (4.938–5.039)

500 samples against 500 of scenes, N = 12, Fréchet distance in scenes classifier (64 features), of as many true samples
1.618. In parentheses 95 % intervals, by the jackknife over groups of the samples; all weights have the same latents and
classes.

classifier-free: 1.643 at w = 1.5, no difference beyond chance (−0.143 … +0.408 from the same latents)
"""
